"""The commands of shell_query: parse, call, show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pollctl import Answer, PluginContext, PollctlError, Request, UsageError
from pollctl_shell_query import queries as listings
from pollctl_shell_query.model.columns import read_fields
from pollctl_shell_query.model.decisions import Mode, Settings

if TYPE_CHECKING:
    from pollctl_shell_query.client.session import Desk

_LISTED = ("id", "name", "status", "target_de_customer_key", "row_count", "created_at", "completed_at", "error_message")
_LONGEST_NAME = 100
_LONGEST_KEY = 200
_BAD_LETTER = "it holds {letter!r} at {place}, which cannot be sent; take it out"
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_sql = click.option("--sql", help="The SQL text.")
_file = click.option(
    "--file", "file", type=click.Path(path_type=Path, allow_dash=True), help="A file with it; - is stdin."
)


@click.command()
@_sql
@_file
@click.option("--target", metavar="DE_KEY", help="Key of the data extension that the rows go to.")
@click.option(
    "--create-target", metavar="COLUMNS", help='Make one of its own instead, such as "Name:Text(50),Opens:Number".'
)
@click.option("--mode", type=click.Choice(["overwrite", "append", "update"]), default="overwrite", show_default=True)
@click.option("--name", default="", help="A name to know it by.")
@_as_json
@click.pass_obj
def submit(
    context: PluginContext,
    sql: str | None,
    file: Path | None,
    target: str | None,
    create_target: str | None,
    mode: str,
    name: str,
    *,
    as_json: bool,
) -> None:
    """Have SQL run by the next pass. Prints the run's id."""
    if (target is None) == (create_target is None):
        raise click.UsageError("say where the rows go: either --target or --create-target")
    if create_target is not None and mode == "update":
        raise click.UsageError("--mode update needs a data extension with a primary key; --create-target makes none")
    new = listings.NewRun(
        name=_checked(name, "--name", _LONGEST_NAME) if name else "",
        sql=_sql_text(sql, file),
        target=_checked(target, "--target", _LONGEST_KEY) if target is not None else "",
        fields=_fields(create_target) if create_target is not None else [],
        mode=cast("Mode", mode.capitalize()),
    )
    with context.writing() as db:
        run_id = listings.submit(db, new, context.now)
        row = listings.run(db, run_id)
    if as_json:
        context.show(_without_sql(row), as_json=True)
        return
    click.echo(run_id)


@click.command()
@_as_json
@click.pass_obj
def runs(context: PluginContext, *, as_json: bool) -> None:
    """List the runs, the newest first."""
    with context.reading() as db:
        rows = [_without_sql(row) for row in listings.runs(db)]
    context.show(rows if as_json else [{key: row[key] for key in _LISTED} for row in rows], as_json=as_json)


@click.command()
@click.argument("run")
@_as_json
@click.pass_obj
def show(context: PluginContext, run: str, *, as_json: bool) -> None:
    """Show one RUN; its SQL text while it lives."""
    with context.reading() as db:
        context.show(listings.run(db, run), as_json=as_json)


@click.command()
@click.argument("run")
@click.pass_obj
def cancel(context: PluginContext, run: str) -> None:
    """Cancel a RUN that has not ended; the next pass cleans up after it."""
    with context.writing() as db:
        ended = listings.cancel(db, run, context.now, keep_sql=context.settings.keep_sql)
    if ended is not None:
        click.echo(f"run {run} is {ended} already; nothing changed")


@click.command()
@click.argument("run")
@click.option("--format", "format_", type=click.Choice(["csv", "json", "table"]), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.pass_obj
def results(context: PluginContext, run: str, format_: str, out: Path | None) -> None:
    """Print the rows of a RUN that is ready."""
    from pollctl_shell_query.commands.rows import opened, pages, write_csv, write_json

    if format_ == "table" and out is not None:
        raise click.UsageError("a table is for the terminal; --out needs --format csv or --format json")
    with context.reading() as db:
        row = listings.run(db, run)
    if row["status"] != "ready":
        raise PollctlError(
            f"run {run} is {row['status']}{': ' if row['error_message'] else ''}{row['error_message'] or ''}"
        )
    if row["target_cleared_at"] is not None:
        raise PollctlError(
            f"run {run} has no rows any more: its data extension is deleted target_keep after its end; submit the SQL again"
        )
    with _asking(context) as desk, _progress() as tell:
        found = pages(desk, row["target_de_customer_key"], tell)
        if format_ == "table":
            context.show([one for rows in found for one in rows], as_json=False)
            return
        with opened(out) as file:
            (write_csv if format_ == "csv" else write_json)(found, file)


@click.command()
@_sql
@_file
@click.pass_obj
def validate(context: PluginContext, sql: str | None, file: Path | None) -> None:
    """Ask Marketing Cloud whether SQL is valid."""
    from pollctl_shell_query.client import rest
    from pollctl_shell_query.client.errors import UpstreamError, scrubbed

    text = _sql_text(sql, file)
    with _asking(context) as desk:
        try:
            judgement = rest.validate(desk, text)
        except UpstreamError as trouble:
            raise PollctlError(f"it could not be validated: {scrubbed(str(trouble), text)}") from trouble
    if judgement.query_valid:
        click.echo("valid")
        return
    raise PollctlError("\n".join(judgement.reasons))


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (submit, runs, show, cancel, results, validate):
        group.add_command(command)


# words


def _sql_text(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise click.UsageError("say what to run: either --sql or --file")
    where = "--sql" if file is None else f"--file {file}"
    text = sql if sql is not None else _read(cast("Path", file))
    if not text.strip():
        raise click.BadParameter("there is no SQL text in it", param_hint=where)
    for place, letter in enumerate(text):
        if not _can_be_sent(letter):
            raise click.BadParameter(_BAD_LETTER.format(letter=letter, place=place), param_hint=where)
    return text


def _can_be_sent(letter: str) -> bool:
    """Whether XML can carry a character (XML 1.0, Char)."""
    return letter in "\t\n\r" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"--file {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--file {file} is not UTF-8") from error


def _checked(text: str, option: str, longest: int) -> str:
    if not text.strip() or not text.isprintable() or len(text) > longest:
        raise click.BadParameter(f"{text!r} is none: 1 to {longest} printable characters", param_hint=option)
    return text


def _fields(words: str) -> Any:
    try:
        return read_fields(words)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--create-target") from error


def _without_sql(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "sql_text"}


# asking outside of a pass


class _Errand:
    """What a desk needs, of a command."""

    def __init__(self, context: PluginContext, send: Callable[[Request], Answer]) -> None:
        self.now: datetime = context.now
        self.settings: Settings = context.settings
        self._send = send

    def send(self, request: Request) -> Answer:
        return self._send(request)

    def held_until(self, upstream: str) -> datetime | None:  # noqa: ARG002 - a person may ask at any time
        return None


@contextmanager
def _asking(context: PluginContext) -> Iterator[Desk]:
    """A desk with the token of the passes; a new token is kept for them."""
    from pollctl_shell_query.client.session import Desk
    from pollctl_shell_query.fetch.rounds import require_settings
    from pollctl_shell_query.store import load as store
    from pollctl_shell_query.store.apply import keep_token

    require_settings(context.settings)
    with context.reading() as db:
        token = store.token(db)
    with context.asking() as send:
        desk = Desk(_Errand(context, send))
        desk.remember(token)
        try:
            yield desk
        finally:
            fresh, _ = desk.take_unsaved()
            if fresh is not None:
                with context.writing() as db:
                    keep_token(db, fresh)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Tells how many rows of how many there are, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _seen, _count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows")
        yield lambda seen, count: bar.update(task, completed=seen, total=max(seen, count))
