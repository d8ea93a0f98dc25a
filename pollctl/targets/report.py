"""What the report shows of a plugin of targets: what changed, what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import (
    Column,
    Figure,
    KeyFigures,
    Lane,
    Mark,
    Section,
    Span,
    State,
    Table,
    Timeline,
    counted,
    from_text,
    to_text,
)
from pollctl.sql import columns
from pollctl.targets.metrics import current, state_word
from pollctl.targets.queries import happened

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.targets.rows import Row

_MOST_TARGETS = 20
_MOST_LANES = 12
_MOST_EVENTS = 10
_STATES = {
    "ok": State("ok", "ok"),
    "failing": State("failing", "fail"),
    "paused": State("paused", "none"),
    "new": State("new", "info"),
}
_TARGET_COLUMNS = (
    Column("name"),
    Column("state", kind="state"),
    Column("looked_at", "looked", "age", drop=1),
    Column("changed_at", "changed", "moment"),
    Column("failing_since", "failing since", "moment", drop=2),
    Column("error", "last error", drop=1, wraps=True),
)
_EVENT_COLUMNS = (
    Column("at", "when", "moment"),
    Column("name", "target"),
    Column("text", "what", wraps=True),
)


def sections(
    db: Database, plugin: str, title: str, rows: Sequence[Row], now: datetime, since: datetime
) -> list[Section]:
    """Targets, failing ones first; a lane for each; what became of them last."""
    shown = sorted(current(rows), key=_order)
    events = happened(db, plugin, to_text(since))
    changed = sum(bool(row.changed_at and from_text(row.changed_at) >= since) for row in shown)
    failing = sum(state_word(row) == "failing" for row in shown)
    figures = (
        Figure("targets", len(shown)),
        Figure("changed", changed),
        Figure("failing", failing, level="fail" if failing else "ok"),
    )
    lanes = [_lane(row, events, now, since) for row in shown[:_MOST_LANES]]
    targets = [{**row._asdict(), "state": _STATES[state_word(row)]} for row in shown[:_MOST_TARGETS]]
    blocks = (
        KeyFigures(figures),
        Timeline(lanes, since, now, "What became of them"),
        Table(_TARGET_COLUMNS, targets, "Targets", "No target was looked at yet.", len(shown)),
        Table(_EVENT_COLUMNS, events[:_MOST_EVENTS], "Latest", "Nothing happened.", len(events)),
    )
    summary = (
        f"{failing} of {counted(len(shown), 'target')} failing"
        if failing
        else f"{changed} of {counted(len(shown), 'target')} changed"
    )
    return [Section(title, blocks, summary if shown else "")]


def _order(row: Row) -> tuple[bool, int, str]:
    """Failing ones first, then those that changed last."""
    changed_at = from_text(row.changed_at).timestamp() if row.changed_at else 0
    return (state_word(row) != "failing", -int(changed_at), row.name)


def _lane(row: Row, events: Sequence[Mapping[str, Any]], now: datetime, since: datetime) -> Lane:
    """Since when it fails, and a mark wherever something became of it."""
    spans = []
    failing_since = from_text(row.failing_since) if row.failing_since else now
    if row.reached_at and failing_since > since:
        spans.append(Span(since, failing_since, "ok"))
    if row.failing_since:
        spans.append(Span(max(since, failing_since), now, "fail", f"failing: {row.error}"))
    marks = [Mark(from_text(one["at"]), "info", str(one["text"])) for one in events if one["target"] == row.id]
    return Lane(row.name, spans, marks)


def privacy(plugin: str) -> dict[str, dict[str, bool]]:
    """Which columns of the tables of a plugin are private."""
    return {
        f"{plugin}_targets": columns(
            shown="name paused_at retired_at looked_at reached_at changed_at failing_since error",
            private="address definition added",
        ),
        f"{plugin}_memory": columns(shown="kept_at", private="definition value validators answer"),
        f"{plugin}_told": columns(shown="told_at", private="id"),
        f"{plugin}_waiting": columns(shown="came_at due_at", private="news"),
        f"{plugin}_history": columns(shown="at text"),
        f"{plugin}_notify": columns(private="url"),
    }


def queries(plugin: str) -> dict[str, tuple[str, str]]:
    """What is worth asking of the tables of a plugin, by name: title and SELECT."""
    happened = f"SELECT at, name, text FROM {plugin}_history JOIN {plugin}_targets ON {plugin}_targets.id = target"  # noqa: S608
    return {
        "failing": (
            "Targets that fail",
            f"SELECT name, failing_since, failures, error FROM {plugin}_targets WHERE failures > 0 ORDER BY 2",  # noqa: S608
        ),
        "latest": ("What happened last", f"{happened} ORDER BY {plugin}_history.id DESC LIMIT 200"),
        "history-of": (
            "What became of one target",
            f"{happened} WHERE name = :name ORDER BY {plugin}_history.id DESC LIMIT 500",
        ),
    }
