"""What the report shows of soc_sections: which classes are open?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Column, Figure, KeyFigures, Lane, Section, Span, State, Table, Timeline, from_text, to_text
from pollctl_soc_sections import queries
from pollctl_soc_sections.queries import wanted

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST_WANTED = 8
_MOST_EVENTS = 12
_CAMPUS_COLUMNS = (
    Column("name", "campus", "id"),
    Column("open_sections", "open", "number"),
    Column("last_poll_at", "last answer", "moment"),
    Column("polls", kind="number", drop=2),
    Column("failures", "failed", "number", drop=2),
    Column("suspects", "held", "number", drop=1),
    Column("held_since", "held since", "moment", drop=3),
)
_EVENT_COLUMNS = (
    Column("event_at", "when", "moment"),
    Column("state", "became", "state"),
    Column("index_number", "index", "id"),
    Column("title", "class"),
    Column("campus", kind="id", drop=2),
    Column("sent", "told", "number", drop=1),
)


def sections(db: Database, now: datetime, since: datetime) -> list[Section]:
    """Campuses, the most wanted classes and when they were open, the latest events."""
    campuses = queries.campus_counters(db)
    numbers = wanted.happened(db, to_text(since))
    is_held = any(campus["held_since"] for campus in campuses)
    figures = (
        Figure("subscriptions", numbers["subscriptions"]),
        Figure("openings", numbers["openings"]),
        Figure(
            "answers held",
            sum(campus["suspects"] for campus in campuses),
            level="warn" if is_held else "none",
            note="not believed until they are repeated",
        ),
    )
    lanes = [_lane(db, section, since, now) for section in wanted.most_wanted(db, _MOST_WANTED)]
    blocks = (
        KeyFigures(figures),
        Table(_CAMPUS_COLUMNS, [_campus(row) for row in campuses], "Campuses", "Not polled yet."),
        Timeline(lanes, since, now, "Most wanted classes: when they were open"),
        _events(db, numbers["events"]),
    )
    summary = "; ".join(f"{campus['campus']} {campus['open_sections']} open" for campus in campuses)
    return [Section("Which classes are open?", blocks, summary)]


def _campus(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "name": f"{row['term']} {row['campus']}"}


def _lane(db: Database, section: Mapping[str, Any], since: datetime, now: datetime) -> Lane:
    """When a section was open: from each opening to the closing after it, the window's ends where that lies outside."""
    spans, opened = [], since
    is_open = section["status"] == "OPEN"
    changes = wanted.changes(db, section, to_text(since))
    for at, status in changes:
        if status == "OPEN":
            opened = from_text(at)
        else:
            spans.append(Span(opened, from_text(at), "ok", "open"))
    if is_open:
        spans.append(Span(opened, now, "ok", "open"))
    return Lane(f"{section['index_number']} {section['title'] or section['course']}".strip(), spans)


def _events(db: Database, total: int) -> Table:
    rows = [
        {
            **event,
            "state": State(event["status"].lower(), "ok" if event["status"] == "OPEN" else "none"),
            "title": event["title"] or event["course"],
        }
        for event in queries.events(db, _MOST_EVENTS)
    ]
    return Table(_EVENT_COLUMNS, rows, "Latest events", "No class has opened or closed yet.", total)
