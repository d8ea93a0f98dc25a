"""The SELECTs behind listings and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pollctl import sql
from pollctl_soc_sections.model import ANY_SECTION
from pollctl_soc_sections.store.courses import COURSE_SECTIONS, SECTIONS_FOLLOWED

if TYPE_CHECKING:
    from sqlite_utils import Database

_SUBSCRIPTIONS = """
SELECT subscription.id, subscription.term, subscription.campus, nullif(subscription.index_number, :any) AS index_number,
    coalesce(nullif(subscription.course, ''), section.course) AS course, title, section_number,
    CASE WHEN subscription.course = '' THEN section.status ELSE (SELECT CASE WHEN sum(status = 'OPEN') THEN 'OPEN'
        WHEN sum(status = 'CLOSED') THEN 'CLOSED' ELSE 'UNKNOWN' END {of_the_course}) END AS section_status,
    CASE WHEN subscription.course = '' THEN NOT is_catalogued ELSE NOT EXISTS (SELECT 1 {of_the_course}) END AS unresolved,
    substr(contact, 1, instr(contact, '://') + 2) || '…' AS contact,
    subscription.status, window, max_notifications, snooze_until, unless_open, is_rolling, last_known_section_status,
    sent_count, created_at,
    (SELECT count(*) FROM soc_open_event_notifications WHERE subscription_id = subscription.id
        AND fanout_status IN ('pending', 'deferred')) AS waiting,
    (SELECT count(*) FROM soc_open_event_notifications WHERE subscription_id = subscription.id
        AND fanout_status = 'failed') AS failed,
    (SELECT trim(kind || ' ' || detail) FROM soc_subscription_events WHERE subscription_id = subscription.id
        ORDER BY id DESC LIMIT 1) AS latest
FROM soc_subscriptions AS subscription LEFT JOIN soc_sections AS section ON subscription.course = ''
    AND section.term = subscription.term AND section.campus = subscription.campus
    AND section.index_number = subscription.index_number
WHERE :chosen IS NULL OR subscription.id IN (SELECT value FROM json_each(:chosen)) ORDER BY subscription.id""".replace(
    "{of_the_course}",
    f"""FROM soc_sections AS one WHERE one.term = subscription.term AND one.campus = subscription.campus
        AND one.index_number IN {SECTIONS_FOLLOWED}""",
)
IDS = """SELECT id, term || ' ' || campus || ' ' || coalesce(nullif(course, ''), index_number) || ' ' || status
FROM soc_subscriptions ORDER BY id DESC"""
"""What a shell offers for a subscription."""
_MOST_NAMED = 5
_LIVE = ("pending", "active", "paused")
_FLAGS = ("unresolved", "unless_open", "is_rolling")


def subscriptions(db: Database, numbers: Iterable[int] | None = None) -> sql.Listing:
    """All subscriptions, or some, oldest first."""
    chosen = None if numbers is None else json.dumps(list(numbers))
    return sql.Listing(
        db,
        _SUBSCRIPTIONS,
        {"chosen": chosen, "any": ANY_SECTION},
        lambda row: {**row, **{flag: bool(row[flag]) for flag in _FLAGS}},
    )


def history(db: Database, number: int) -> list[dict[str, Any]]:
    """What happened to a subscription, oldest first."""
    return list(
        db.query("SELECT at, kind, detail FROM soc_subscription_events WHERE subscription_id = ? ORDER BY id", [number])
    )


def sections(
    db: Database, *, is_open: bool, term: str | None, campus: str | None, course: str | None, title: str
) -> sql.Listing:
    """Known sections with status, description and number of subscriptions; *title*: words that all occur in theirs."""
    return sql.Listing(
        db,
        f"""SELECT term, campus, index_number, status, course, section_number, title, misses, changed_at, open_to,
               permission, eligibility, subtitle, (SELECT count(*) FROM soc_subscriptions AS subscription
                   WHERE subscription.term = section.term AND subscription.campus = section.campus
                   AND (subscription.index_number = section.index_number AND subscription.course = ''
                       OR subscription.course <> '' AND subscription.course = section.course)
                   AND subscription.status <> 'unsubscribed'
               ) AS subscriptions
               FROM soc_sections AS section WHERE is_known = 1 AND (:all OR status = 'OPEN') AND coalesce(term = :term, 1)
               AND coalesce(campus = :campus, 1)
               AND (:course IS NULL OR (term, campus, index_number) IN
                   (SELECT term, campus, index_number FROM {COURSE_SECTIONS} WHERE course = :course))
               AND NOT EXISTS (SELECT 1 FROM json_each(:words)
                   WHERE instr(lower(section.title || ' ' || section.subtitle), value) = 0)
               ORDER BY term, campus, index_number""",  # noqa: S608 - own text
        {
            "all": not is_open, "term": term, "campus": campus, "course": course,
            "words": json.dumps(title.lower().split()),
        },
    )  # fmt: skip


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


def polls(db: Database, *, term: str | None, campus: str | None, limit: int) -> list[dict[str, Any]]:
    """Answers and what they were worth, the newest first."""
    return list(
        db.query(
            """SELECT id, polled_at, term, campus, verdict, listed_count, known_count, ignored_count, duration_ms,
               content_hash, reason, run_id FROM soc_polls WHERE coalesce(term = ?, 1) AND coalesce(campus = ?, 1)
               ORDER BY id DESC LIMIT ?""",
            [term, campus, limit],
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
            """SELECT term, campus, polls, failures, suspects, last_poll_at, last_duration_ms / 1000 AS duration_seconds,
               held_since, held_last_at,
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


# what a person should look at


def notice(db: Database, polled: Sequence[tuple[str, str]]) -> str:
    """What `status` says: where nothing can be believed and since when, and how many subscriptions nobody polls."""
    rows = db.execute(
        "SELECT term, campus, doubted_since FROM soc_campuses WHERE doubted_since IS NOT NULL ORDER BY 1, 2"
    )
    said = [
        f"no readable answer for {term} {campus} since {since}"
        for term, campus, since in rows
        if (term, campus) in polled
    ]
    if number := sum(number for _, _, number in unpolled(db, polled)):
        said.append(f"{_subscriptions_in_words(number)} that nobody polls")
    return "; ".join(said)


def unknown_lines(db: Database, numbers: Iterable[int] | None = None) -> list[str]:
    """What is said of live subscriptions, all or some, whose section or course is in no catalogue that was read: a typo, mostly."""
    read = {
        (row["term"], row["campus"]): row["read_at"] for row in catalogues(db) if row["read_at"] and row["sections"]
    }
    lines = [
        f"subscription {row['id']}: {row['index_number'] or row['course']} is not in the catalogue of {row['term']} {row['campus']}"
        f" of {read[row['term'], row['campus']][:10]}; is it right? It is watched for all the same"
        for row in subscriptions(db, numbers)
        if row["unresolved"] and row["status"] in _LIVE and (row["term"], row["campus"]) in read
    ]
    rest = len(lines) - _MOST_NAMED
    more = [f"{_subscriptions_in_words(rest)} more for what no catalogue has"] if rest > 0 else []
    return lines[:_MOST_NAMED] + more


def unpolled_lines(db: Database, polled: Sequence[tuple[str, str]], *, is_enabled: bool) -> list[str]:
    """What `check` warns of: terms and campuses with subscriptions that no pass polls."""
    remedy = "add it to terms and campuses in [plugins.soc_sections]" if is_enabled else "soc_sections is not enabled"
    return [
        f"{_subscriptions_in_words(number)} for {term} {campus}, which nobody polls: {remedy}"
        for term, campus, number in unpolled(db, polled if is_enabled else [])
    ]


def unpolled(db: Database, polled: Sequence[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Terms and campuses that no pass polls, with the number of their subscriptions."""
    rows = db.execute(
        "SELECT term, campus, count(*) FROM soc_subscriptions WHERE status IN ('pending', 'active', 'paused') "
        "GROUP BY term, campus ORDER BY term, campus"
    ).fetchall()
    return [(term, campus, number) for term, campus, number in rows if (term, campus) not in polled]


def _subscriptions_in_words(number: int) -> str:
    return f"{number} {'subscription' if number == 1 else 'subscriptions'}"
