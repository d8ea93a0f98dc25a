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
from pollctl.sql import columns
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
PRIVACY = {
    "status_check": columns(
        shown="monitor robot_id local_date phase subscription_id result planned_at ends_at closing_at created_at "
        "updated_at",
        private="settings",
    ),
    "status_check_poller": columns(shown="since until opened_by unjudged_since"),
    "status_check_record": columns(
        shown="incoming_event_id reference_id event_name event_at phase result created_at unread",
    ),
    "status_check_incoming": columns(shown="event_id event_at"),
    "status_check_subscription": columns(shown="until state subscription_id trouble"),
    "status_check_dead_letter": columns(
        shown="key source reason robot_id event_id created_at subscription_id event_name event_at replay_at "
        "replayed_at",
        private="body",
    ),
    "status_check_missed": columns(shown="monitor local_date planned_at ends_at created_at"),
    "status_check_description": columns(shown="name text"),
    "status_check_template": columns(
        shown="description event_name alarm_name past_event_dependencies future_event_dependencies",
    ),
    "status_check_expired": columns(shown="name"),
    "status_check_template_detail": columns(shown="phase text"),
}
"""Settings of checks and messages that could not be read are private."""
QUERIES = {
    "days": (
        "Days, and how often an alarm went out",
        """SELECT id, monitor, local_date, phase, result,
    (SELECT count(*) FROM status_check_record AS record WHERE status_check_id = status_check.id
        AND event_name = 'EVENT_OBSERVED') AS visits,
    (SELECT count(*) FROM status_check_record AS record WHERE status_check_id = status_check.id
        AND event_name = 'ALARM_SENT') AS alarms
FROM status_check ORDER BY id DESC LIMIT 200""",
    ),
    "windows": (
        "Windows that are open",
        """SELECT monitor, local_date, since, until, opened_by, unjudged
FROM status_check_poller JOIN status_check ON id = status_check_id ORDER BY until""",
    ),
    "unreadable": (
        "Messages that could not be read",
        """SELECT created_at, source, reason, robot_id, event_name, event_at
FROM status_check_dead_letter ORDER BY id DESC LIMIT 200""",
    ),
    "records-of-day": (
        "The records of one day",
        """SELECT "order", event_at, event_name, phase, result FROM status_check_record
WHERE status_check_id = :check ORDER BY 1""",
    ),
}
"""By name: title and SELECT."""


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
