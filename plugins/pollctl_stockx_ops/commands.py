"""The commands of stockx_ops: parse, call, print."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import chain
from typing import Any, TypeVar, get_args

import click

from pollctl import Addresses, Column, Moment, PluginContext, Secret, UsageError, completion_from, limit_option
from pollctl_stockx_ops import queries
from pollctl_stockx_ops.client.fields import id_problem
from pollctl_stockx_ops.model import LISTING_STATUS, JobStatus, NewJob
from pollctl_stockx_ops.store import accounts, tracking

_NO_ACCOUNT = "no account yet; `pollctl stockx-ops account connect USER --refresh-token-env NAME` connects one"
_NO_JOB = "no such job; `pollctl stockx-ops track OPERATION_ID --user USER --type TYPE` follows an operation"
_NO_LISTING = "nothing yet; the passes note it when a job that is followed ends (`pollctl stockx-ops track`)"
_ACCOUNT_COLUMNS = (
    Column("user_id", "user"),
    Column("status", kind="state"),
    Column("expires_at", "expires", "moment", drop=3),
    Column("connected_at", "connected", "moment", drop=2),
    Column("updated_at", "updated", "moment", drop=5),
    Column("recipients", kind="number", drop=4),
    Column("open_jobs", kind="number", drop=1),
)
_JOB_COLUMNS = (
    Column("id", kind="id"),
    Column("user_id", "user", drop=2),
    Column("job_type", "type", "id", drop=1),
    Column("status", kind="state"),
    Column("stockx_operation_id", "operation", "id", drop=6),
    Column("stockx_listing_id", "listing", "id", drop=5),
    Column("started_at", "started", "moment", drop=3),
    Column("error_message", "error", drop=4),
)
_LISTING_COLUMNS = (
    Column("stockx_listing_id", "listing", "id"),
    Column("user_id", "user", drop=2),
    Column("status", kind="state"),
    Column("ask_price", "ask", "id"),
    Column("currency_code", "currency", "id"),
    Column("expires_at", "expires", "moment", drop=3),
    Column("updated_at", "updated", "moment", drop=1),
)
_HISTORY_COLUMNS = (
    Column("id", kind="number", drop=6),
    Column("stockx_listing_id", "listing", "id"),
    Column("job_id", "job", "id", drop=5),
    Column("attempt", kind="number", drop=4),
    Column("action", kind="id"),
    Column("status", kind="state", drop=1),
    Column("changed_by", "by", drop=3),
    Column("changed_at", "at", "moment"),
    Column("metadata", drop=2),
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_F = TypeVar("_F", bound=Callable[..., Any])


def _selection(since: str, limit: Callable[[Any], Any] = limit_option) -> Callable[[_F], _F]:
    """Add ``--user``, ``--since`` and ``--limit``, of which *since* says what it looks at."""
    options = (
        click.option("--user", help="Only this user's.", shell_complete=completion_from(queries.USERS)),
        click.option("--since", type=Moment(), metavar="MOMENT", help=f"Only those {since} since MOMENT, such as -2h."),
        limit,
    )
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(options), command)


@click.group()
def account() -> None:
    """The logins of users."""


@account.command()
@click.argument("user", shell_complete=completion_from(queries.USERS))
@click.option("--refresh-token-env", "variable", required=True, metavar="NAME", help="Variable that holds the token.")
@click.option(
    "--notify",
    "urls",
    type=Addresses(),
    multiple=True,
    metavar="URL",
    help="Apprise address to notify; may be repeated.",
)
@click.pass_obj
def connect(context: PluginContext, user: str, variable: str, urls: Sequence[Sequence[Secret]]) -> None:
    """Follow the jobs of USER with the refresh token in an environment variable; also after a login broke."""
    token = os.environ.get(variable, "").strip()
    if not token:
        raise UsageError(f"environment variable {variable} is not set, or empty: it must hold the refresh token")
    if not user.strip() or not user.isprintable():
        raise click.BadParameter("a user is printable text", param_hint="USER")
    with context.writing() as db:
        accounts.connect(db, user, Secret(token), [*chain(*urls)], context.now)


@account.command("list")
@_as_json
@click.pass_obj
def list_accounts(context: PluginContext, *, as_json: bool) -> None:
    """List the accounts."""
    with context.reading() as db:
        context.show(queries.accounts(db), as_json=as_json, columns=_ACCOUNT_COLUMNS, empty=_NO_ACCOUNT)


@account.command()
@click.argument("user", shell_complete=completion_from(queries.USERS))
@click.pass_obj
def revoke(context: PluginContext, user: str) -> None:
    """Forget the login of USER; open jobs are not asked about any more."""
    with context.writing() as db:
        accounts.revoke(db, user, context.now)


@click.command()
@click.argument("operation_id")
@click.option("--user", required=True, help="Whose operation it is.", shell_complete=completion_from(queries.USERS))
@click.option("--type", "job_type", required=True, type=click.Choice(list(LISTING_STATUS)), help="What it does.")
@click.option("--listing", "listing_id", help="The listing it is about; dialect v2 cannot ask without.")
@_as_json
@click.pass_obj
def track(
    context: PluginContext, operation_id: str, user: str, job_type: str, listing_id: str | None, *, as_json: bool
) -> None:
    """Follow OPERATION_ID to its end. Prints the job's id; that of the first job where one follows it already."""
    _check_id("OPERATION_ID", operation_id)
    if listing_id is not None:
        _check_id("--listing", listing_id)
    elif context.settings.dialect == "v2":
        raise click.BadParameter("dialect v2 cannot ask about an operation without its listing", param_hint="--listing")
    new = NewJob(operation_id=operation_id, user_id=user, job_type=job_type, listing_id=listing_id)
    with context.writing() as db:
        job_id, is_new = tracking.track(db, new, context.now, context.settings.poll_delay)
        job = queries.job(db, job_id)
        statuses = {row["user_id"]: row["status"] for row in queries.accounts(db)}
    if not is_new:
        told = f"job {job_id} of {job['user_id']} follows {operation_id} since {job['started_at']}: {job['status']}"
        click.echo(told, err=True)
    elif statuses.get(user) != "ACTIVE":
        status = statuses.get(user, "not connected")
        click.echo(f"account {user} is {status}: the job waits, see `pollctl stockx-ops account connect`", err=True)
    if as_json:
        context.show(job, as_json=True)
        return
    click.echo(job_id)


@click.command()
@click.option("--status", type=click.Choice(get_args(JobStatus), case_sensitive=False), help="Only those.")
@_selection("begun")
@_as_json
@click.pass_obj
def jobs(context: PluginContext, /, status: str | None, limit: int | None, *, as_json: bool, **selection: Any) -> None:
    """List the jobs, the newest first."""
    with context.reading() as db:
        rows = queries.jobs(db, status, queries.Wanted(**selection))
        context.show(rows, as_json=as_json, columns=_JOB_COLUMNS, empty=_NO_JOB, limit=limit)


@click.command()
@click.argument("job", shell_complete=completion_from(queries.JOB_IDS))
@click.pass_obj
def retry(context: PluginContext, job: str) -> None:
    """Put a failed JOB back, due at once."""
    with context.writing() as db:
        tracking.retry(db, job, context.now)


@click.command("listings")
@_selection("changed")
@_as_json
@click.pass_obj
def show_listings(context: PluginContext, /, limit: int | None, *, as_json: bool, **selection: Any) -> None:
    """List the listings, the latest change first."""
    with context.reading() as db:
        rows = queries.listings(db, queries.Wanted(**selection))
        context.show(rows, as_json=as_json, columns=_LISTING_COLUMNS, empty=_NO_LISTING, limit=limit)


@click.command()
@click.argument("listing", required=False, shell_complete=completion_from(queries.LISTING_IDS))
@_selection("written")
@_as_json
@click.pass_obj
def history(
    context: PluginContext, /, listing: str | None, limit: int | None, *, as_json: bool, **selection: Any
) -> None:
    """List what happened, to one LISTING or to all, the newest first."""
    with context.reading() as db:
        rows = queries.history(db, listing, queries.Wanted(**selection))
        context.show(rows, as_json=as_json, columns=_HISTORY_COLUMNS, empty=_NO_LISTING, limit=limit)


@click.command()
@_selection("begun", click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest so many jobs."))
@_as_json
@click.pass_obj
def stats(context: PluginContext, /, *, as_json: bool, **selection: Any) -> None:
    """Show what became of jobs, and how well operations end: in all passes, or of one user's jobs, or of the newest."""
    with context.reading() as db:
        found = queries.stats(db, queries.Wanted(**selection))
    context.show(found, as_json=as_json)


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (account, track, jobs, retry, show_listings, history, stats):
        group.add_command(command)


def _check_id(what: str, text: str) -> None:
    if problem := id_problem(text):
        raise click.BadParameter(f"{text!r} cannot be asked about: {problem}", param_hint=what)
