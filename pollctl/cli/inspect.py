"""``status``, ``history``, ``show``, ``plugins``: looking without touching."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from pollctl import clock, console
from pollctl.cli.arguments import ROW, json_option, plugin_names
from pollctl.cli.invocation import Invocation

_PAST_COLUMNS = (
    "id",
    "plugin",
    "trigger",
    "outcome",
    "duration_ms",
    "batches",
    "decisions",
    "effects",
    "error",
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
    said = notices(invocation.config_to_look, invocation.found, now)
    statuses = plugin_statuses(invocation.config_to_look, now)
    rows = [{**msgspec.to_builtins(row), "notice": said.get(row.plugin)} for row in statuses]
    if not rows and not as_json:
        console.log("no plugin is enabled; `pollctl plugins` lists those that are installed")
    console.print_rows(rows if as_json else [_short(row) for row in rows], as_json=as_json)


@click.command()
@click.argument("plugin", required=False, shell_complete=plugin_names)
@click.option("--limit", type=ROW, default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def history(invocation: Invocation, plugin: str | None, limit: int, *, as_json: bool) -> None:
    """List past passes, newest first."""
    from pollctl.api.names import canonical
    from pollctl.inspection.status import past_runs
    from pollctl.store import database

    with closing(database.open_to_plan(invocation.config_to_look.core.database, [])) as db:
        rows = past_runs(db, canonical(plugin or ""), limit=limit)
    if not rows and not as_json:
        console.log("no pass yet")
    shown = rows if as_json else [{**row, "error": (row["error"] or {}).get("message")} for row in rows]
    console.print_rows(shown, as_json=as_json, columns=_PAST_COLUMNS)


@click.command()
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def show(invocation: Invocation, run_id: str, *, as_json: bool) -> None:
    """Show everything about one pass: its row, the effects that it queued, what was recorded."""
    from pollctl.inspection.status import everything
    from pollctl.store import database

    with closing(database.open_to_read(invocation.config_to_look.core.database)) as db:
        run = everything(db, run_id)
    if as_json:
        console.print_rows(run, as_json=True)
        return
    effects, recordings = run.pop("outbox"), run.pop("recordings")
    console.print_rows(run, as_json=False)
    for title, rows in (("effects", effects), ("recordings", [_counted(row) for row in recordings])):
        if rows:
            console.print_text(f"\n{title}")
            console.print_rows(rows, as_json=False)


@click.command()
@json_option
@click.pass_obj
def plugins(invocation: Invocation, *, as_json: bool) -> None:
    """List the plugins that are installed, those that cannot be used with the reason."""
    import msgspec

    from pollctl.inspection.inventory import inventory

    rows = [msgspec.to_builtins(installed) for installed in inventory(invocation.config_to_look, invocation.found)]
    console.print_rows(
        rows, as_json=as_json, columns=("plugin", "distribution", "version", "state", "schedule", "summary")
    )
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
