"""The SQL behind the commands: new subscriptions, changes to them, and rows for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pollctl import PollctlError, UsageError, to_text
from pollctl_soc_sections.fanout import note

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
FROM soc_subscriptions AS subscription JOIN soc_sections AS section USING (term, campus, index_number)"""
_FLAGS = ("unresolved", "unless_open")


class NewSubscription(Struct, frozen=True, kw_only=True):
    """What is asked for with ``subscribe``; every value has been checked."""

    term: str
    campus: str
    index_number: str
    contact: str
    window: str | None
    max_notifications: int
    snooze_until: datetime | None
    unless_open: bool


def subscribe(db: Database, now: datetime, new: NewSubscription) -> int:
    """Add a subscription, or find the live one with the same section and contact; answers its id."""
    key = [new.term, new.campus, new.index_number, new.contact]
    row = db.execute(
        """SELECT id FROM soc_subscriptions WHERE term = ? AND campus = ? AND index_number = ? AND contact = ?
           AND status <> 'unsubscribed'""",
        key,
    ).fetchone()
    if row:
        return int(row[0])
    until = to_text(new.snooze_until) if new.snooze_until else None
    cursor = db.execute(
        """INSERT INTO soc_subscriptions (term, campus, index_number, contact, window, max_notifications,
           snooze_until, unless_open, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [*key, new.window, new.max_notifications, until, new.unless_open, to_text(now)],
    )
    number = int(cursor.lastrowid or 0)
    note(db, [(number, "subscribed", "")], now)
    return number


def change(db: Database, now: datetime, number: int, status: str) -> None:
    """Pause, resume or end a subscription; resuming also ends a snooze and counts notifications anew.

    Raises:
        UsageError: there is no such subscription.
        PollctlError: it was ended, which is for ever.
    """
    _must_live(db, number)
    words = {"paused": "paused", "active": "resumed", "unsubscribed": "unsubscribed"}
    anew = ", sent_count = 0, snooze_until = NULL" if status == "active" else ""
    db.execute(f"UPDATE soc_subscriptions SET status = ?{anew} WHERE id = ?", [status, number])  # noqa: S608 - own text
    note(db, [(number, words[status], "by hand")], now)


def snooze(db: Database, now: datetime, number: int, until: datetime) -> None:
    """Let a subscription rest until a moment; one that has passed ends a snooze.

    Raises:
        UsageError: there is no such subscription.
        PollctlError: it was ended, which is for ever.
    """
    _must_live(db, number)
    db.execute("UPDATE soc_subscriptions SET snooze_until = ? WHERE id = ?", [to_text(until), number])
    note(db, [(number, "snoozed", f"until {to_text(until)}")], now)


def _must_live(db: Database, number: int) -> None:
    if subscription(db, number)["status"] == "unsubscribed":
        raise PollctlError(f"subscription {number} was ended; subscribe again")


def subscription(db: Database, number: int) -> dict[str, Any]:
    """One subscription with its section; of the contact only the service is shown.

    Raises:
        UsageError: there is none with this id.
    """
    for row in db.query(f"{_SUBSCRIPTIONS} WHERE subscription.id = ?", [number]):
        return _with_flags(row)
    raise UsageError(f"no subscription {number}; `pollctl soc-sections subscriptions` lists them")


def subscriptions(db: Database, numbers: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """All subscriptions, or some, oldest first."""
    rows = [_with_flags(row) for row in db.query(f"{_SUBSCRIPTIONS} ORDER BY subscription.id")]
    wanted = None if numbers is None else set(numbers)
    return rows if wanted is None else [row for row in rows if row["id"] in wanted]


def history(db: Database, number: int) -> list[dict[str, Any]]:
    """What happened to a subscription, oldest first."""
    return list(
        db.query("SELECT at, kind, detail FROM soc_subscription_events WHERE subscription_id = ? ORDER BY id", [number])
    )


def sections(db: Database, *, is_open: bool, term: str | None, campus: str | None) -> list[dict[str, Any]]:
    """Known sections with what is known of them."""
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
    """Openings and closings, the newest first, with how many were told."""
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


def ask_for_catalogues(db: Database, polled: Sequence[tuple[str, str]]) -> None:
    """Let the next pass read the catalogues of these terms and campuses, whenever it read them last."""
    db.conn.executemany(
        "UPDATE soc_campuses SET catalogue_tried_at = NULL WHERE term = ? AND campus = ?",
        polled,
    )


def catalogues(db: Database) -> list[dict[str, Any]]:
    """How large each catalogue is, when it was read, and why it could not be read last."""
    return list(
        db.query(
            """SELECT term, campus, catalogue_size AS sections, catalogue_read_at AS read_at,
               catalogue_failure AS failure FROM soc_campuses ORDER BY term, campus"""
        )
    )


def _with_flags(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{flag: bool(row[flag]) for flag in _FLAGS}}


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
