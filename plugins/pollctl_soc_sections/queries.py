"""The SELECTs behind listings and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database

_SUBSCRIPTIONS = """
SELECT subscription.id, term, campus, index_number, course, title, section_number, section.status AS section_status,
    NOT is_catalogued AS unresolved, substr(contact, 1, instr(contact, '://') + 2) || '…' AS contact,
    subscription.status, window, max_notifications, snooze_until, unless_open, last_known_section_status, sent_count,
    created_at,
    (SELECT count(*) FROM soc_open_event_notifications WHERE subscription_id = subscription.id
        AND fanout_status IN ('pending', 'deferred')) AS waiting,
    (SELECT count(*) FROM soc_open_event_notifications WHERE subscription_id = subscription.id
        AND fanout_status = 'failed') AS failed,
    (SELECT trim(kind || ' ' || detail) FROM soc_subscription_events WHERE subscription_id = subscription.id
        ORDER BY id DESC LIMIT 1) AS latest
FROM soc_subscriptions AS subscription JOIN soc_sections AS section USING (term, campus, index_number)
WHERE ?1 IS NULL OR subscription.id IN (SELECT value FROM json_each(?1)) ORDER BY subscription.id"""
IDS = """SELECT id, term || ' ' || campus || ' ' || index_number || ' ' || status FROM soc_subscriptions
ORDER BY id DESC"""
"""What a shell offers for a subscription."""
_FLAGS = ("unresolved", "unless_open")


def subscriptions(db: Database, numbers: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """All subscriptions, or some, oldest first."""
    chosen = None if numbers is None else json.dumps(list(numbers))
    rows = db.query(_SUBSCRIPTIONS, [chosen])
    return [{**row, **{flag: bool(row[flag]) for flag in _FLAGS}} for row in rows]


def history(db: Database, number: int) -> list[dict[str, Any]]:
    """What happened to a subscription, oldest first."""
    return list(
        db.query("SELECT at, kind, detail FROM soc_subscription_events WHERE subscription_id = ? ORDER BY id", [number])
    )


def sections(db: Database, *, is_open: bool, term: str | None, campus: str | None) -> list[dict[str, Any]]:
    """Known sections with status, description and number of subscriptions."""
    return list(
        db.query(
            """SELECT term, campus, index_number, status, course, section_number, title, misses, changed_at, open_to,
               permission, (SELECT count(*) FROM soc_subscriptions AS subscription
                   WHERE subscription.term = section.term AND subscription.campus = section.campus
                   AND subscription.index_number = section.index_number AND subscription.status <> 'unsubscribed'
               ) AS subscriptions
               FROM soc_sections AS section WHERE is_known = 1 AND (? OR status = 'OPEN') AND coalesce(term = ?, 1)
               AND coalesce(campus = ?, 1) ORDER BY term, campus, index_number""",
            [not is_open, term, campus],
        )
    )


def events(db: Database, limit: int) -> list[dict[str, Any]]:
    """Openings and closings, the newest first, with how many notifications were sent."""
    return list(
        db.query(
            """SELECT event.id, event.event_at, event.term, event.campus, event.index_number, status,
               event.status_before, event.seat_delta, event.episode, course, title, event.dedupe_key,
               (SELECT count(*) FROM soc_open_event_notifications WHERE event_id = opening.id) AS notifications,
               (SELECT count(*) FROM soc_open_event_notifications WHERE event_id = opening.id
                   AND fanout_status = 'sent') AS sent
               FROM (SELECT id, event_at, term, campus, index_number, status, status_before, seat_delta, episode,
                   dedupe_key FROM soc_status_events ORDER BY id DESC LIMIT ?) AS event
               LEFT JOIN soc_open_events AS opening ON opening.dedupe_key = event.dedupe_key
               LEFT JOIN (SELECT term, campus, index_number, course, title FROM soc_sections) AS section
                   ON section.term = event.term AND section.campus = event.campus
                   AND section.index_number = event.index_number
               ORDER BY event.id DESC""",
            [limit],
        )
    )


def catalogues(db: Database) -> list[dict[str, Any]]:
    """How large each catalogue is, when it was read, and why it could not be read last."""
    return list(
        db.query(
            """SELECT term, campus, catalogue_size AS sections, catalogue_read_at AS read_at,
               catalogue_failure AS failure FROM soc_campuses ORDER BY term, campus"""
        )
    )


# metrics


def campus_counters(db: Database) -> list[dict[str, Any]]:
    """Counters of each term and campus, and its open sections."""
    return list(
        db.query(
            """SELECT term, campus, polls, failures, suspects, last_poll_at,
               (SELECT count(*) FROM soc_sections AS section WHERE section.term = campus.term
                   AND section.campus = campus.campus AND status = 'OPEN' AND is_known = 1) AS open_sections
               FROM soc_campuses AS campus ORDER BY term, campus"""
        )
    )


def event_counts(db: Database) -> list[dict[str, Any]]:
    """Openings and closings by term and campus."""
    return list(
        db.query(
            "SELECT term, campus, status, count(*) AS number FROM soc_status_events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
    )


def notification_counts(db: Database) -> list[dict[str, Any]]:
    """Notifications by term, campus and what became of them."""
    return list(
        db.query(
            """SELECT term, campus, fanout_status AS status, count(*) AS number FROM soc_open_event_notifications
               JOIN soc_open_events ON id = event_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        )
    )


def unpolled(db: Database, polled: Sequence[tuple[str, str]]) -> list[str]:
    """What `check` warns of: terms and campuses with subscriptions that no pass polls."""
    rows = db.execute(
        "SELECT term, campus, count(*) FROM soc_subscriptions WHERE status IN ('pending', 'active', 'paused') "
        "GROUP BY term, campus ORDER BY term, campus"
    ).fetchall()
    return [
        f"{number} {'subscription' if number == 1 else 'subscriptions'} for {term} {campus}, which nobody polls: "
        "add it to terms and campuses in [plugins.soc_sections]"
        for term, campus, number in rows
        if (term, campus) not in polled
    ]
