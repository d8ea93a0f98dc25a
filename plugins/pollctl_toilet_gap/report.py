"""What the report shows of toilet_gap: has everybody been?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

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
from pollctl_toilet_gap import queries

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST_CHECKS = 12
_STATES = {
    None: State("watching", "info"),
    "SUCCESS": State("success", "ok"),
    "ALARM_RAISED": State("alarm raised", "fail"),
    "ABANDONED": State("abandoned", "warn"),
    "FAILED": State("failed", "warn"),
}
_MARKS: Mapping[str, tuple[Literal["ok", "fail"], str]] = {
    "EVENT_OBSERVED": ("ok", "visit"),
    "ALARM_SENT": ("fail", "alarm"),
}
_COLUMNS = (
    Column("monitor", kind="id"),
    Column("state", kind="state"),
    Column("last_visit", "last visit", "moment"),
    Column("until", "alarm unless by", "moment"),
    Column("visits", kind="number", drop=1),
    Column("alarms", kind="number"),
    Column("ends_at", "day ends", "moment", drop=2),
)


def sections(db: Database, now: datetime, since: datetime) -> list[Section]:
    """The latest day of each monitor as a lane, and checks as rows."""
    checks = queries.checks_since(db, to_text(since), _MOST_CHECKS)
    happened = {check["id"]: _happened(db, check) for check in checks}
    alarms, unread = queries.troubles_since(db, to_text(since))
    figures = (
        Figure("watched now", sum(check["phase"] != "COMPLETE" for check in checks)),
        Figure("alarms", alarms, level="fail" if alarms else "ok"),
        Figure("unreadable events", unread, level="warn" if unread else "none"),
    )
    rows = [_row(check, happened[check["id"]]) for check in checks]
    blocks = (
        KeyFigures(figures),
        _timeline(checks, happened, now),
        Table(_COLUMNS, rows, "Checks", "No monitor was watched."),
    )
    summary = counted(alarms, "alarm") if alarms else "no alarm" if checks else ""
    return [Section("Has everybody been?", blocks, summary)]


def _happened(db: Database, check: Mapping[str, Any]) -> list[Mark]:
    """The visits and alarms of a check, in their order."""
    return [
        Mark(from_text(record["event_at"]), *_MARKS[record["event_name"]])
        for record in queries.records(db, check["id"])
        if record["event_name"] in _MARKS
    ]


def _row(check: Mapping[str, Any], marks: Sequence[Mark]) -> dict[str, Any]:
    visits = [mark.at for mark in marks if mark.level == "ok"]
    return {
        **check,
        "state": _STATES[check["result"]],
        "last_visit": max(visits, default=None),
        "visits": len(visits),
        "alarms": len(marks) - len(visits),
    }


def _timeline(checks: Sequence[Mapping[str, Any]], happened: Mapping[int, Sequence[Mark]], now: datetime) -> Timeline:
    """A lane for the latest check of each monitor."""
    latest = list({check["monitor"]: check for check in reversed(checks)}.values())
    start = min((from_text(check["planned_at"]) for check in latest), default=now)
    end = max((from_text(check["ends_at"]) for check in latest), default=now)
    return Timeline(
        [_lane(check, happened[check["id"]], now) for check in latest], start, end, "The day: visits, windows, alarms"
    )


def _lane(check: Mapping[str, Any], marks: Sequence[Mark], now: datetime) -> Lane:
    """From visit to visit; red where an alarm ended a silence; the window that is open now."""
    spans, last = [], from_text(check["planned_at"])
    for mark in sorted(marks, key=lambda mark: mark.at):
        if mark.at > last:
            spans.append(Span(last, mark.at, mark.level, "silence" if mark.level == "fail" else ""))
        last = max(last, mark.at)
    ends_at = min(now, from_text(check["ends_at"]))
    if ends_at > last:
        is_open = check["phase"] != "COMPLETE"
        spans.append(Span(last, ends_at, "info" if is_open else "none", "window now" if is_open else ""))
    return Lane(check["monitor"], spans, marks)
