"""``status``, ``history``, ``show``, ``plugins``: looking without touching."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option, plugin_names
from pollctl.cli.invocation import Invocation

_PAST_COLUMNS = (
    Column("id", kind="id"),
    Column("plugin", kind="id"),
    Column("trigger", "by", "id", drop=5),
    Column("outcome", kind="state"),
    Column("duration_ms", "took", "milliseconds", drop=1),
    Column("batches", kind="number", drop=4),
    Column("decisions", "decided", "number", drop=2),
    Column("effects", "queued", "number", drop=3),
    Column("error", "what went wrong"),
)
_STATUS_COLUMNS = (
    Column("plugin", kind="id"),
    Column("outcome", "last", "state"),
    Column("age", kind="id"),
    Column("next due", "next", "age", drop=3),
    Column("failures", kind="number", drop=4),
    Column("backoff until", "held", "age", drop=6),
    Column("lock", kind="id", drop=7),
    Column("outbox", kind="id", drop=2),
    Column("problem", drop=1),
    Column("notice", drop=5),
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
_PLUGIN_COLUMNS = (
    Column("plugin", kind="id"),
    Column("distribution", drop=3),
    Column("version", kind="id", drop=2),
    Column("state", kind="state"),
    Column("schedule", kind="id", drop=1),
    Column("summary"),
)


@click.command()
@json_option
@click.pass_obj
def status(invocation: Invocation, *, as_json: bool) -> None:
    """Show how each plugin stands.

    Last outcome and its age, when it is due next, failures in a row and the backoff that they cause, who works on
    it right now, its effects by status, and what the plugin itself has to say.
    """
    import msgspec

    from pollctl.inspection.status import notices, plugin_statuses

    now = clock.now()
    said = notices(invocation.config, invocation.found, now)
    statuses = plugin_statuses(invocation.config, now)
    rows = [{**msgspec.to_builtins(row), "notice": said.get(row.plugin)} for row in statuses]
    if not rows and not as_json:
        console.log("no plugin is enabled; `pollctl plugins` lists those that are installed")
    shown = rows if as_json else [_short(row) for row in rows]
    console.print_rows(shown, as_json=as_json, columns=_STATUS_COLUMNS, moments=invocation.moments)


@click.command()
@click.argument("plugin", required=False, shell_complete=plugin_names)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def history(invocation: Invocation, plugin: str | None, limit: int, *, as_json: bool) -> None:
    """List past passes, newest first."""
    from pollctl.api.names import canonical
    from pollctl.inspection.status import past_runs
    from pollctl.store import database

    with closing(database.open_to_plan(invocation.config.core.database, [])) as db:
        rows = past_runs(db, canonical(plugin or ""), limit=limit)
    if not rows and not as_json:
        console.log("no pass yet")
    shown = rows if as_json else [{**row, "error": (row["error"] or {}).get("message")} for row in rows]
    console.print_rows(shown, as_json=as_json, columns=_PAST_COLUMNS, moments=invocation.moments)


@click.command()
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def show(invocation: Invocation, run_id: str, *, as_json: bool) -> None:
    """Show everything about one pass: its row, the effects that it queued, what was recorded."""
    from pollctl.inspection.status import everything
    from pollctl.store import database

    with closing(database.open_to_read(invocation.config.core.database)) as db:
        run = everything(db, run_id)
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


@click.command()
@json_option
@click.pass_obj
def plugins(invocation: Invocation, *, as_json: bool) -> None:
    """List the plugins that are installed, those that cannot be used with the reason."""
    import msgspec

    from pollctl.inspection.inventory import inventory

    rows = [msgspec.to_builtins(installed) for installed in inventory(invocation.config, invocation.found)]
    console.print_rows(rows, as_json=as_json, columns=_PLUGIN_COLUMNS)
    for row in rows:
        if row["error"] and not as_json:
            console.log(row["error"])


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """A standing as people want it: ages instead of moments, one column for what keeps it from running."""
    return {
        "plugin": row["plugin"] if row["enabled"] else f"{row['plugin']} (disabled)",
        "outcome": row["outcome"],
        "age": None if row["age_s"] is None else console.age(row["age_s"]),
        "next due": "now" if row["is_due"] else row["next_due_at"],
        "failures": row["consecutive_failures"],
        "backoff until": row["backoff_until"],
        "lock": f"pid {row['lock']['pid']} since {row['lock']['since']}" if row["lock"] else None,
        "outbox": row["outbox"],
        "problem": row["problem"],
        "notice": row["notice"],
    }


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    decisions = row["decisions"]
    return {**row, "decisions": "decide raised" if decisions is None else f"{len(decisions)}"}
