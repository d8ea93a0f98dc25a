"""``status`` and ``plugins``: looking without touching."""

from __future__ import annotations

from typing import Any

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option
from pollctl.cli.invocation import Invocation

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
        console.log(console.NOTHING_ENABLED)
    shown = rows if as_json else [_short(row) for row in rows]
    console.print_rows(shown, as_json=as_json, columns=_STATUS_COLUMNS, moments=invocation.moments)


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
