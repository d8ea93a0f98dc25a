"""What the report shows of soc_sections: which classes are open?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Column, Figure, KeyFigures, Lane, Section, Span, State, Table, Timeline, from_text, to_text
from pollctl.sql import columns
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
PRIVACY = {
    "soc_sections": columns(
        shown="term campus index_number status changed_at section_number course title open_to permission missed_at "
        "eligibility subtitle",
    ),
    "soc_campuses": columns(
        shown="term campus counts last_counted_at settled_hash suspect_first suspect_since last_poll_at "
        "catalogue_read_at catalogue_tried_at catalogue_failure accepted_at accepted_digest held_since "
        "held_last_at held_seen failing_since doubted_since",
    ),
    "soc_polls": columns(shown="term campus polled_at verdict content_hash reason run_id"),
    "soc_status_events": columns(shown="term campus index_number status status_before event_at dedupe_key run_id"),
    "soc_subscriptions": columns(
        shown="term campus index_number status window snooze_until last_known_section_status created_at course",
        private="contact",
    ),
    "soc_subscription_events": columns(shown="kind at", private="detail"),
    "soc_open_events": columns(
        shown="term campus index_number status_before status_after event_at dedupe_key trace_id",
        private="payload",
    ),
    "soc_open_event_notifications": columns(shown="fanout_status effect_key changed_at"),
    "soc_answers": columns(shown="term campus sections"),
    "soc_twins": columns(shown="term campus index_number course"),
}
"""Contacts of subscribers and what is sent to them are private."""
QUERIES = {
    "events": (
        "Openings and closings, newest first",
        """SELECT event_at, events.term, events.campus, events.index_number, events.status, course, title
FROM soc_status_events AS events LEFT JOIN soc_sections AS sections ON sections.term = events.term
    AND sections.campus = events.campus AND sections.index_number = events.index_number
ORDER BY events.id DESC LIMIT 200""",
    ),
    "campuses": (
        "How each campus answers",
        """SELECT term, campus, last_poll_at, polls, failures, suspects, listed_count, held_since, failing_since
FROM soc_campuses ORDER BY term, campus""",
    ),
    "wanted": (
        "What is subscribed to most",
        """SELECT term, campus, index_number, course, count(*) AS subscriptions, sum(sent_count) AS notifications
FROM soc_subscriptions WHERE status <> 'unsubscribed' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 200""",
    ),
    "polls-of-campus": (
        "The polls of one campus",
        """SELECT polled_at, term, verdict, listed_count, known_count, duration_ms, reason
FROM soc_polls WHERE campus = :campus ORDER BY id DESC LIMIT 500""",
    ),
}
"""By name: title and SELECT."""


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
