"""``history`` and ``show``: past passes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.api.outcomes import OUTCOMES
from pollctl.cli.arguments import ROW, json_option, plugin_names, run_ids
from pollctl.cli.invocation import Invocation
from pollctl.plugin_host.moment_option import Moment

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.inspection.past import Wanted

_PERIOD_S = 1.0
_LOOKS_BACK = timedelta(minutes=5)
_MOST = 200
_PIPED = ("id", "plugin", "trigger", "outcome", "duration_ms", "batches", "decisions", "effects", "error")
_EMPTY = "no pass yet; `pollctl run PLUGIN` makes one now, cron makes them all the time (`pollctl crontab`)"
_NO_SUCH = "no such pass; `pollctl history` without options lists the newest of all"
_COLUMNS = (
    Column("run", kind="id"),
    Column("started_at", "started", "moment"),
    Column("plugin", kind="id"),
    Column("outcome", kind="state"),
    Column("duration_ms", "took", "milliseconds", drop=1),
    Column("decisions", "decided", "number", drop=2),
    Column("effects", "queued", "number", drop=3),
    Column("batches", kind="number", drop=5),
    Column("trigger", "by", "id", drop=4),
    Column("what", "what happened"),
)
_EFFECT_COLUMNS = (
    Column("id", kind="number"),
    Column("kind"),
    Column("key", drop=3),
    Column("lane", drop=5),
    Column("status", kind="state"),
    Column("attempts", "tries", "number", drop=2),
    Column("next_attempt_at", "next try", "age", drop=4),
    Column("last_error"),
    Column("delivered_at", "delivered", "moment", drop=1),
)
_RECORDING_COLUMNS = (Column("seq", kind="number"), Column("now", kind="moment"), Column("decisions"))


@click.command()
@click.argument("plugin", required=False, shell_complete=plugin_names)
@click.option("--limit", type=ROW, default=20, show_default=True, help="How many at most.")
@click.option("--since", metavar="MOMENT", type=Moment(), help="Only those begun since MOMENT, such as -2h.")
@click.option("--outcome", type=click.Choice([*OUTCOMES, "running"]), help="Only those that ended so.")
@click.option("--follow", is_flag=True, help="Go on: print each pass when it ends, until Ctrl-C.")
@json_option
@click.pass_obj
def history(
    invocation: Invocation,
    plugin: str | None,
    limit: int,
    since: datetime | None,
    outcome: str | None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """List past passes, newest first; with --follow the newest last."""
    from pollctl.api.names import canonical
    from pollctl.inspection.past import Wanted

    if follow and as_json:
        raise click.UsageError("--follow never ends, so it cannot be one JSON document")
    wanted = Wanted(canonical(plugin or ""), since, outcome or "")
    if follow:
        _follow(invocation, wanted, limit)
        return
    rows = _listed(invocation, wanted, limit, as_json=as_json)
    empty = _NO_SUCH if plugin or since or outcome else _EMPTY
    columns = _COLUMNS if console.is_terminal() else _PIPED
    console.print_rows(rows, as_json=as_json, columns=columns, moments=invocation.moments, empty=empty)


def _listed(invocation: Invocation, wanted: Wanted, limit: int, *, as_json: bool = False) -> list[dict[str, Any]]:
    from pollctl.inspection.past import past_runs
    from pollctl.store import database

    with database.looking(invocation.config_to_look.core.database) as db:
        rows = past_runs(db, wanted, limit=limit)
        return rows if as_json else _for_people(db, rows)


def _follow(invocation: Invocation, wanted: Wanted, limit: int) -> None:
    """Print passes as they end; one that began earlier and ends now counts."""
    columns = _COLUMNS if console.is_terminal() else _PIPED
    began = clock.now()
    shown = _listed(invocation, wanted, limit)[::-1]
    console.print_rows(shown, as_json=False, columns=columns, moments=invocation.moments)
    ended = {row["id"] for row in shown if row["finished_at"]}
    while True:
        since = max(began, clock.now() - _LOOKS_BACK)
        found = _listed(invocation, wanted._replace(ended_since=since), limit=_MOST)[::-1]
        news = [row for row in found if row["id"] not in ended]
        shown = [*shown, *news][-_MOST:]
        console.print_more(shown, len(news), columns=columns, moments=invocation.moments)
        ended = {row["id"] for row in shown if row["finished_at"]}
        time.sleep(_PERIOD_S)


@click.command()
@click.argument("words", metavar="RUN", nargs=-1, required=True, shell_complete=run_ids)
@json_option
@click.pass_obj
def show(invocation: Invocation, words: tuple[str, ...], *, as_json: bool) -> None:
    """Show everything about one pass: its row, the effects that it queued, what was recorded.

    RUN is its id, any unique beginning of it or of the letters after its dash (as `history` lists them), `latest`, or
    `latest PLUGIN`.
    """
    from pollctl.damage import mark_damage
    from pollctl.inspection.status import everything
    from pollctl.store import database, run_ids

    with closing(database.open_to_read(invocation.config_to_look.core.database)) as db:
        mark_damage(db.conn)
        chosen = run_ids.resolved(db, words)
        if len(chosen) > 1:
            raise click.UsageError("name one pass")
        run = everything(db, chosen[0])
    if as_json:
        console.print_rows(run, as_json=True)
        return
    effects, recordings = run.pop("outbox"), run.pop("recordings")
    console.print_rows(run, as_json=False, moments=invocation.moments)
    recorded = [_counted(row) for row in recordings]
    for title, rows, columns in (
        ("effects", effects, _EFFECT_COLUMNS),
        ("recordings", recorded, _RECORDING_COLUMNS),
    ):
        if rows:
            console.print_text(f"\n{title}")
            console.print_rows(rows, as_json=False, columns=columns, moments=invocation.moments)


def _for_people(db: Database, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Passes with their short ids, and what is to be said about each in a few words."""
    from pollctl.store.run_ids import shortened

    short = shortened(db, [row["id"] for row in rows])
    return [
        {**row, "run": short[row["id"]], "error": (row["error"] or {}).get("message"), "what": _what(row)}
        for row in rows
    ]


def _what(row: Mapping[str, Any]) -> str:
    """What went wrong, or else what was counted."""
    if row["error"]:
        return str(row["error"].get("message") or "")
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in row["stats"].items() if number)


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    decisions = row["decisions"]
    if isinstance(decisions, list):
        return {**row, "decisions": f"{len(decisions)}"}
    return {**row, "decisions": "decide raised" if decisions is None else decisions}
