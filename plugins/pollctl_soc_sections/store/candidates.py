"""Who waits for which sections: subscriptions to be notified, and notifications that wait for their time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import from_text
from pollctl_soc_sections.model import Candidate, Deferred, Poll
from pollctl_soc_sections.model.identifiers import current_term
from pollctl_soc_sections.store.courses import SECTIONS_FOLLOWED
from pollctl_soc_sections.store.moments import moment_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database

_OF_ONE_SECTION = """soc_subscriptions AS subscription
JOIN soc_sections AS section USING (term, campus, index_number)"""
_OF_A_COURSE = f"""soc_subscriptions AS subscription
JOIN soc_sections AS section ON section.term = subscription.term AND section.campus = subscription.campus
    AND section.index_number IN {SECTIONS_FOLLOWED}"""
_CANDIDATES = """
SELECT subscription.id, section.index_number, created_at, window, snooze_until, unless_open,
    CASE WHEN event.status_before = 'CLOSED' THEN event.event_at END, event.id IS NOT NULL, missed_at,
    CASE WHEN is_spared = 1 THEN 'sent' ELSE fanout_status END, subscription.course
FROM {followed}
LEFT JOIN soc_open_events AS event ON event.term = section.term AND event.campus = section.campus
    AND event.index_number = section.index_number AND event.episode = section.episode
LEFT JOIN soc_open_event_notifications AS notification
    ON notification.event_id = event.id AND notification.subscription_id = subscription.id
WHERE subscription.term = :term AND subscription.campus = :campus AND subscription.status IN ('pending', 'active')
    AND (subscription.course <> '') = :is_course AND subscription.id >= :after
    AND (subscription.id > :after OR section.index_number > :after_index) AND section.is_known = 1
    AND (section.status = 'OPEN' OR section.index_number IN (SELECT value FROM json_each(:appearing)))
    AND (notification.event_id IS NULL OR section.index_number IN (SELECT value FROM json_each(:unseen)))
ORDER BY subscription.id, section.index_number LIMIT :chunk"""


def candidates(
    db: Database, poll: Poll, appearing: Collection[str], unseen: Collection[str], chunk: int
) -> list[Candidate]:
    """Eligible subscriptions not yet notified of the episode of an open or appearing section; read a chunk at a time.

    And those that were, where the section may have closed unseen.
    """
    values = {
        "term": poll.term,
        "campus": poll.campus,
        "appearing": json.dumps(list(appearing)),
        "unseen": json.dumps(list(unseen)),
        "chunk": chunk,
    }
    kinds = ((False, _OF_ONE_SECTION), (True, _OF_A_COURSE))
    return [
        _candidate(row)
        for is_course, followed in kinds
        for page in _pages(db, _CANDIDATES.format(followed=followed), {**values, "is_course": is_course})
        for row in page
    ]


def _pages(db: Database, sql: str, values: dict[str, Any]) -> Iterator[list[Any]]:
    after, after_index = -1, ""
    while page := db.execute(sql, {**values, "after": after, "after_index": after_index}).fetchall():
        yield page
        after, after_index = page[-1][:2]
        if len(page) < values["chunk"]:
            return


def _candidate(row: Sequence[Any]) -> Candidate:
    return Candidate(
        id=row[0],
        index_number=row[1],
        created_at=from_text(row[2]),
        window=row[3],
        snooze_until=moment_or_none(row[4]),
        unless_open=bool(row[5]),
        opened_at=moment_or_none(row[6]),
        has_event=bool(row[7]),
        missed_at=moment_or_none(row[8]),
        told=row[9],
        course=row[10],
    )


def deferred(db: Database, poll: Poll) -> list[Deferred]:
    """Notifications of this term and campus that wait for their time."""
    rows = db.execute(
        """SELECT event.id, dedupe_key, effect_key, subscription.id, subscription.status, event.index_number, episode,
               window, snooze_until, course
           FROM soc_open_event_notifications AS notification
           CROSS JOIN soc_open_events AS event ON event.id = event_id
           JOIN soc_subscriptions AS subscription ON subscription.id = subscription_id
           WHERE fanout_status = 'deferred' AND event.term = ? AND event.campus = ?
           ORDER BY event.id, subscription.id""",
        [poll.term, poll.campus],
    )
    return [
        Deferred(
            event_id=row[0],
            dedupe_key=row[1],
            effect_key=row[2],
            subscription_id=row[3],
            status=row[4],
            index_number=row[5],
            episode=row[6],
            window=row[7],
            snooze_until=moment_or_none(row[8]),
            course=row[9],
        )
        for row in rows
    ]


def rolling(db: Database, poll: Poll, now: datetime) -> list[int]:
    """Subscriptions to courses that roll with the calendar, where the term of this answer has become the current one."""
    if current_term(now) != poll.term:
        return []
    rows = db.execute(
        """SELECT id FROM soc_subscriptions AS old WHERE is_rolling = 1 AND campus = ?2 AND term <> ?1
           AND status <> 'unsubscribed' AND NOT EXISTS (SELECT 1 FROM soc_subscriptions AS new
               WHERE new.term = ?1 AND new.campus = ?2 AND new.course = old.course AND new.contact = old.contact
               AND new.status <> 'unsubscribed') ORDER BY id""",
        [poll.term, poll.campus],
    )
    return [number for (number,) in rows]
