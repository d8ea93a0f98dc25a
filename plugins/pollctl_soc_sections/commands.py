"""The commands of soc_sections: parse, call, show."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pollctl import PluginContext, PollctlError, UsageError
from pollctl_soc_sections import listings, wishes
from pollctl_soc_sections.notation import read_campus, read_id, read_term

_LISTED = (
    "id", "term", "campus", "index_number", "course", "section_status", "unresolved", "contact", "status", "sent_count",
    "waiting", "failed", "latest",
)  # fmt: skip


class Checked(click.ParamType[Any]):
    """A value that a function reads from text; its ValueError becomes the message."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the value, or end the command with what is wrong with it."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ID = Checked("id", read_id)
_number = click.argument("number", metavar="ID", type=_ID)


@click.command()
@click.argument("index", required=False)
@click.option("--term", help="Such as 92026 or FA2026.")
@click.option("--campus", help="Such as NB; capitals count.")
@click.option("--contact", metavar="URL", help="Apprise address to tell.")
@click.option("--window", metavar="08:00-22:00", help="Only between these times, both included.")
@click.option("--max", "most", metavar="N", help="Pause after so many notifications, 1 to 10.  [default: 3]")
@click.option("--snooze-until", metavar="T", help="Nothing before this moment, such as 2026-09-01T12:00:00Z.")
@click.option("--unless-open", is_flag=True, help="Say nothing if it is open already.")
@click.option("--from", "file", metavar="FILE.csv", type=Path, help="Many at once, all or none.")
@_as_json
@click.pass_obj
def subscribe(
    context: PluginContext, /, index: str | None, file: Path | None, *, unless_open: bool, as_json: bool, **options: Any
) -> None:
    """Tell a contact when section INDEX opens. Prints the subscription's id; a second one for the same is the first."""
    is_single = index is not None or unless_open or any(options.values())
    if is_single == (file is not None):
        raise click.UsageError("give INDEX with --term, --campus and --contact, or --from FILE.csv")
    wanted = wishes.read_file(file) if file else [_wish(index, options, unless_open=unless_open)]
    with context.writing() as db:
        numbers = [listings.subscribe(db, context.now, wish) for wish in wanted]
        rows = listings.subscriptions(db, numbers)
    for warning in wishes.unpolled(wanted, context.settings.polled):
        click.echo(f"soc_sections: {warning}", err=True)
    if as_json:
        context.show(rows if file else rows[0], as_json=True)
        return
    click.echo("\n".join(str(number) for number in numbers))


def _wish(index: str | None, options: dict[str, str | None], *, unless_open: bool) -> listings.NewSubscription:
    fields = {**options, "index": index, "max": options["most"], "unless_open": "yes" if unless_open else ""}
    missing = [name for name in wishes.REQUIRED if not fields[name]]
    if missing:
        raise click.UsageError(f"missing: {', '.join('INDEX' if it == 'index' else f'--{it}' for it in missing)}")
    try:
        return wishes.read_wish({name: value or "" for name, value in fields.items()})
    except ValueError as error:
        raise UsageError(str(error)) from error


@click.command()
@click.option("--history", "number", metavar="ID", type=_ID, help="What happened to one of them.")
@_as_json
@click.pass_obj
def subscriptions(context: PluginContext, number: int | None, *, as_json: bool) -> None:
    """List the subscriptions; of a contact only its service is shown."""
    with context.reading() as db:
        if number is not None:
            listings.subscription(db, number)
            context.show(listings.history(db, number), as_json=as_json)
            return
        rows = listings.subscriptions(db)
    context.show(rows if as_json else [{key: row[key] for key in _LISTED} for row in rows], as_json=as_json)


@click.command()
@_number
@click.pass_obj
def unsubscribe(context: PluginContext, number: int) -> None:
    """End a subscription for ever."""
    _change(context, number, "unsubscribed")


@click.command()
@_number
@click.pass_obj
def pause(context: PluginContext, number: int) -> None:
    """Tell nothing until `resume`."""
    _change(context, number, "paused")


@click.command()
@_number
@click.pass_obj
def resume(context: PluginContext, number: int) -> None:
    """Tell again, and count anew; ends a snooze too. An opening not told meanwhile is told if it still stands."""
    _change(context, number, "active")


def _change(context: PluginContext, number: int, status: str) -> None:
    with context.writing() as db:
        listings.change(db, context.now, number, status)


@click.command()
@_number
@click.argument("until", type=Checked("moment", wishes.read_moment))
@click.pass_obj
def snooze(context: PluginContext, number: int, until: datetime) -> None:
    """Tell nothing before UNTIL, such as 2026-09-01T12:00:00Z; what opens meanwhile is told then if it still stands."""
    with context.writing() as db:
        listings.snooze(db, context.now, number, until)


@click.command()
@click.option("--open", "is_open", is_flag=True, help="Only those that are open.")
@click.option("--term", type=Checked("term", read_term), help="Such as 92026 or FA2026.")
@click.option("--campus", type=Checked("campus", read_campus), help="Such as NB.")
@_as_json
@click.pass_obj
def sections(context: PluginContext, term: str | None, campus: str | None, *, is_open: bool, as_json: bool) -> None:
    """List the known sections."""
    with context.reading() as db:
        rows = listings.sections(db, is_open=is_open, term=term, campus=campus)
    context.show(rows, as_json=as_json)


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="So many at most.")
@_as_json
@click.pass_obj
def events(context: PluginContext, limit: int, *, as_json: bool) -> None:
    """List openings and closings, the newest first."""
    with context.reading() as db:
        context.show(listings.events(db, limit), as_json=as_json)


@click.command()
@_as_json
@click.pass_context
def catalogue(ctx: click.Context, *, as_json: bool) -> int:
    """Read the catalogues now, by a pass of its own, and show how large they are."""
    context: PluginContext = ctx.obj
    if not context.settings.catalogue_every:
        raise PollctlError('catalogue_every is "0s" in [plugins.soc_sections], so that no catalogue is ever read')
    with context.writing() as db:
        listings.ask_for_catalogues(db, context.settings.polled)
    code = _run_pass(ctx)
    with context.reading() as db:
        context.show(listings.catalogues(db), as_json=as_json)
    return code


def _run_pass(ctx: click.Context) -> int:
    """`pollctl run soc_sections`, its report on stderr: stdout is for the catalogues."""
    root = ctx.find_root()
    run = root.command.get_command(root, "run") if isinstance(root.command, click.Group) else None
    if run is None:
        raise PollctlError("there is no command `run`; the next pass reads the catalogues")
    with run.make_context("run", ["soc_sections"], parent=root) as running, redirect_stdout(sys.stderr):
        return int(run.invoke(running) or 0)


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (
        subscribe, subscriptions, unsubscribe, snooze, pause, resume, sections, events, catalogue,
    ):  # fmt: skip
        group.add_command(command)
