"""Metric families of a plugin of targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pollctl import from_text
from pollctl.metrics import labelled
from pollctl.targets.rows import Row


def families(plugin: str, rows: Sequence[Row]) -> list[Any]:
    """How many targets there are in which state, and how each stands."""
    polled = current(rows)
    states = {"ok": 0, "failing": 0, "paused": 0, "new": 0}
    for row in polled:
        states[state_word(row)] += 1
    prefix = f"pollctl_{plugin}_target"
    reached = {row.name: from_text(row.reached_at).timestamp() for row in polled if row.reached_at}
    changed = {row.name: from_text(row.changed_at).timestamp() for row in polled if row.changed_at}
    return [
        labelled(f"{prefix}s", "Targets by how they stand.", ["state"], states),
        labelled(f"{prefix}_failures", "Failures in a row.", ["target"], {row.name: row.failures for row in polled}),
        labelled(f"{prefix}_reached_timestamp_seconds", "When it was last reached.", ["target"], reached),
        labelled(f"{prefix}_changed_timestamp_seconds", "When it last changed.", ["target"], changed),
    ]


def current(rows: Sequence[Row]) -> list[Row]:
    """Rows of targets that are polled: of two of one name that in the settings."""
    found = [row for row in rows if row.retired_at is None]
    in_settings = {row.name for row in found if row.added is None}
    return [row for row in found if row.added is None or row.name not in in_settings]


def state_word(row: Row) -> str:
    """How a target that is polled stands, in a word."""
    if row.paused_at:
        return "paused"
    if row.looked_at is None:
        return "new"
    return "failing" if row.failures else "ok"
