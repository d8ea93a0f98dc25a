"""Commands that make, list and change subscriptions."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pollctl import Column, PluginContext, UsageError, completion_from, limit_option
from pollctl_soc_sections import queries
from pollctl_soc_sections.commands.parameters import ID, as_json_option, number_argument
from pollctl_soc_sections.commands.subscription_input import (
    REQUIRED,
    each_contact,
    read_file,
    read_snooze,
    read_subscription,
    unpolled,
    unresolvable,
)
from pollctl_soc_sections.model import NewSubscription
from pollctl_soc_sections.store import subscriptions as stored

_EMPTY = "no subscription yet; `pollctl soc-sections subscribe INDEX --term T --campus C --contact URL` makes one"
_NO_EVENT = "nothing has happened to it yet; the passes notify, `pollctl run soc-sections` makes one now"
_COLUMNS = (
    Column("id", kind="number"),
    Column("term", kind="id"),
    Column("campus", kind="id"),
    Column("index_number", "index", "id"),
    Column("course", drop=4),
    Column("section_status", "section", "state", drop=1),
    Column("unresolved", kind="id", drop=8),
    Column("contact", drop=3),
    Column("status", kind="state"),
    Column("sent_count", "sent", "number", drop=2),
    Column("waiting", kind="number", drop=6),
    Column("failed", kind="number", drop=5),
    Column("latest", drop=7),
)
_EVENT_COLUMNS = (Column("at", kind="moment"), Column("kind", "what", "id"), Column("detail", wraps=True))


@click.command()
@click.argument("index", required=False)
@click.option(
    "--course", metavar="01:198:111", help="All sections of a course, also later ones, in the place of INDEX."
)
@click.option("--term", help="Such as 92026, FA2026 or current; a course goes on with the current term.")
@click.option("--campus", help="Such as NB; capitals count.")
@click.option("--contact", metavar="URL", help="Apprise address to notify.")
@click.option("--window", metavar="08:00-22:00", help="Only between these times, both included.")
@click.option("--max", "most", metavar="N", help="Pause after so many notifications, 1 to 10.  [default: 3]")
@click.option("--snooze-until", metavar="T", help="Nothing before this moment, such as 2026-09-01T12:00:00Z.")
@click.option("--unless-open", is_flag=True, help="No notification if it is open already.")
@click.option("--from", "file", metavar="FILE.csv", type=click.Path(path_type=Path), help="Many at once, all or none.")
@as_json_option
@click.pass_obj
def subscribe(
    context: PluginContext, /, index: str | None, file: Path | None, *, unless_open: bool, as_json: bool, **options: Any
) -> None:
    """Notify a contact when section INDEX, or a section of a course, opens.

    Prints the subscription's id; a second one for the same is the first. One message names all sections of a course that
    opened in one pass, cross-listed ones too.
    """
    is_single = index is not None or unless_open or any(options.values())
    if is_single == (file is not None):
        raise click.UsageError("give INDEX or --course with --term, --campus and --contact, or --from FILE.csv")
    new = (
        read_file(file, context.now)
        if file
        else each_contact(_from_options(index, options, context.now, unless_open=unless_open))
    )
    with context.writing() as db:
        numbers = [stored.subscribe(db, context.now, each) for each in new]
        rows = list(queries.subscriptions(db, numbers))
        unknown = queries.unknown_lines(db, numbers)
    polled = context.settings.polled(context.now)
    for warning in (*unpolled(new, polled), *unresolvable(new, context.settings), *unknown):
        click.echo(f"soc_sections: {warning}", err=True)
    if as_json:
        context.show(rows if file or len(rows) > 1 else rows[0], as_json=True)
        return
    click.echo("\n".join(str(number) for number in numbers))


def _from_options(
    index: str | None, options: dict[str, str | None], now: datetime, *, unless_open: bool
) -> NewSubscription:
    fields = {**options, "index": index, "max": options["most"], "unless_open": "yes" if unless_open else ""}
    missing = [name for name in REQUIRED if not fields[name] and not (name == "index" and fields["course"])]
    if missing:
        words = ("INDEX or --course" if name == "index" else f"--{name}" for name in missing)
        raise click.UsageError(f"missing: {', '.join(words)}")
    try:
        return read_subscription({name: value or "" for name, value in fields.items()}, now)
    except ValueError as error:
        raise UsageError(str(error)) from error


@click.command()
@click.option(
    "--history",
    "number",
    metavar="ID",
    type=ID,
    shell_complete=completion_from(queries.IDS),
    help="What happened to one of them.",
)
@limit_option
@as_json_option
@click.pass_obj
def subscriptions(context: PluginContext, number: int | None, limit: int | None, *, as_json: bool) -> None:
    """List the subscriptions; of a contact only its service is shown."""
    with context.reading() as db:
        if number is not None:
            stored.status_of(db, number)
            context.show(
                queries.history(db, number), as_json=as_json, columns=_EVENT_COLUMNS, empty=_NO_EVENT, limit=limit
            )
            return
        context.show(queries.subscriptions(db), as_json=as_json, columns=_COLUMNS, empty=_EMPTY, limit=limit)


@click.command()
@number_argument
@click.pass_obj
def unsubscribe(context: PluginContext, number: int) -> None:
    """End a subscription for good."""
    _change(context, number, "unsubscribed")


@click.command()
@number_argument
@click.pass_obj
def pause(context: PluginContext, number: int) -> None:
    """Send no notification until `resume`."""
    _change(context, number, "paused")


@click.command()
@number_argument
@click.pass_obj
def resume(context: PluginContext, number: int) -> None:
    """Notify again, and restart the count; ends a snooze too. A section that opened meanwhile is notified if still open."""
    _change(context, number, "active")


def _change(context: PluginContext, number: int, status: str) -> None:
    with context.writing() as db:
        stored.change(db, context.now, number, status)


@click.command()
@number_argument
@click.argument("until")
@click.pass_obj
def snooze(context: PluginContext, number: int, until: str) -> None:
    """Send nothing before UNTIL, such as 2026-09-01T12:00:00Z; what opens meanwhile is notified then if still open."""
    try:
        moment = read_snooze(until, context.now)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with context.writing() as db:
        stored.snooze(db, context.now, number, moment)
