"""``status``: how each plugin stands, what needs attention first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option
from pollctl.cli.invocation import Invocation

if TYPE_CHECKING:
    from rich.text import Text

    from pollctl.console.moments import Moments
    from pollctl.console.terminal import Terminal
    from pollctl.inspection.attention import Attention
    from pollctl.inspection.status import PluginStatus

_COLUMNS = (
    Column("plugin", kind="id"),
    Column("outcome", "last", "state"),
    Column("last_started_at", "when", "age"),
    Column("strip", "last passes", "id", drop=2),
    Column("next", kind="age", drop=4),
    Column("outbox", kind="id", drop=1),
    Column("consecutive_failures", "failures", "number", drop=5),
    Column("backoff_until", "held", "age", drop=6),
    Column("idle_until", "idle until", "age", drop=8),
    Column("lock", "at work", "id", drop=7),
    Column("notice", "says", drop=3),
)
_ATTENTION_COLUMNS = (Column("plugin", kind="id"), Column("text", wraps=True))
_WIDE = 120
_PASSES = 24
_PATIENCE_S = 8.0  # for a database that is locked; with what else it waits for, less than 10 s in all


@click.command()
@json_option
@click.pass_obj
def status(invocation: Invocation, *, as_json: bool) -> None:
    """Show how each plugin stands.

    On a terminal it begins with what needs attention. Last outcome and its age, when it is due next, failures in a row and
    the backoff that they cause, who works on it right now, its effects by status, and what the plugin itself has to say.
    """
    from pollctl.patience import patient_for

    with patient_for(_PATIENCE_S):
        _print_status(invocation, as_json=as_json)


def _print_status(invocation: Invocation, *, as_json: bool) -> None:
    import msgspec

    from pollctl.inspection.status import notices, plugin_statuses

    now = clock.now()
    said = notices(invocation.config_to_look, invocation.found, now)
    statuses = plugin_statuses(invocation.config_to_look, now)
    if not statuses and not as_json:
        console.log(console.NOTHING_ENABLED)
    elif console.is_terminal() and not as_json:
        _show(invocation, statuses, said)
    else:
        rows = [{**msgspec.to_builtins(row), "notice": said.get(row.plugin)} for row in statuses]
        console.print_rows(rows if as_json else [_short(row) for row in rows], as_json=as_json)


def _show(invocation: Invocation, statuses: Sequence[PluginStatus], said: Mapping[str, str]) -> None:
    """A screen: what needs attention, then a row for each plugin with its last passes."""
    from pollctl.console.layout import lines_of
    from pollctl.console.listing import print_lines
    from pollctl.console.strip import legend, strip
    from pollctl.console.terminal import terminal
    from pollctl.inspection.attention import attention
    from pollctl.inspection.past import past_passes

    screen, moments = terminal(), invocation.moments
    most = _PASSES if screen.width < _WIDE else 2 * _PASSES
    with past_passes(invocation.config_to_look) as past:
        lines = _attention(attention(statuses, past), screen, moments)
        strips = {row.plugin: strip(past.outcomes(row.plugin, limit=most), screen) for row in statuses}
    rows = [_row(row, moments.in_text(said.get(row.plugin) or ""), strips[row.plugin]) for row in statuses]
    lines += lines_of(rows, _COLUMNS, screen, moments)
    if any(strips.values()):
        lines.append(legend(screen))
    print_lines(lines, screen)


def _attention(found: Sequence[Attention], screen: Terminal, moments: Moments) -> list[Text]:
    """What needs attention, its texts below each other, also where they wrap."""
    from rich.text import Text

    from pollctl.console.cells import STYLES
    from pollctl.console.layout import lines_of
    from pollctl.console.words import count

    if not found:
        return [Text("all well", "bold green"), Text()]
    marks = {"failed": "✗" if screen.is_unicode else "x", "warn": "!"}
    rows = [
        {
            "plugin": Text.assemble("  ", (marks[one.urgency], STYLES[one.urgency]), " ", (one.plugin, "bold")),
            "text": one.line(moments),
        }
        for one in found
    ]
    lines = lines_of(rows, _ATTENTION_COLUMNS, screen, moments, has_heading=False)
    return [Text(f"{count(len(found), 'thing needs', 'things need')} attention", "bold"), *lines, Text()]


def _row(row: PluginStatus, notice: str, passes: Text) -> dict[str, Any]:
    return {
        "plugin": row.plugin if row.enabled else f"{row.plugin} (disabled)",
        "outcome": row.outcome,
        "last_started_at": row.last_started_at,
        "strip": passes,
        "next": "now" if row.is_due else row.next_due_at,
        "outbox": ", ".join(f"{number} {name}" for name, number in row.outbox.items() if name != "delivered"),
        "consecutive_failures": row.consecutive_failures or None,
        "backoff_until": row.backoff_until,
        "idle_until": row.idle_until,
        "lock": f"pid {row.lock['pid']}" if row.lock else None,
        "notice": notice,
    }


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """A standing as people want it: ages instead of moments, one column for what keeps it from running."""
    return {
        "plugin": row["plugin"] if row["enabled"] else f"{row['plugin']} (disabled)",
        "outcome": row["outcome"],
        "age": None if row["age_s"] is None else console.age(row["age_s"]),
        "next due": "now" if row["is_due"] else row["next_due_at"],
        "failures": row["consecutive_failures"],
        "backoff until": row["backoff_until"],
        "idle until": row["idle_until"],
        "lock": f"pid {row['lock']['pid']} since {row['lock']['since']}" if row["lock"] else None,
        "outbox": row["outbox"],
        "problem": row["problem"],
        "notice": row["notice"],
    }
