"""What ``decide`` is given: a term and campus with its sections, and who waits for which of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl import from_text
from pollctl_soc_sections.model import Batch, Campus, Candidate, Catalogue, Deferred, Details, Poll, State, Suspicion
from pollctl_soc_sections.store.moments import moment_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def load(db: Database, batch: Batch, run: Run) -> State:
    """What is known of one term and campus, as far as this batch can change it."""
    campus = _campus(db, batch)
    if isinstance(batch, Catalogue) or batch.failure:
        return State(campus=campus)
    statuses, misses, unresolved = _sections(db, batch)
    changing = batch.listed & statuses["CLOSED"]
    candidates = _candidates(db, batch, changing | (batch.listed & statuses["UNKNOWN"]), run.settings.chunk)
    deferred = _deferred(db, batch)
    touched = {it.index_number for it in candidates} | {it.index_number for it in deferred}
    local = run.now.astimezone(run.timezone)
    return State(
        campus=campus,
        minute=local.hour * 60 + local.minute,
        open=statuses["OPEN"],
        closed=statuses["CLOSED"],
        unknown=statuses["UNKNOWN"],
        misses=misses,
        unresolved=unresolved,
        details=_details(db, batch, touched.union(changing, statuses["OPEN"] - batch.listed)),
        candidates=candidates,
        deferred=deferred,
    )


def _campus(db: Database, batch: Batch) -> Campus:
    row = db.execute(
        """SELECT counts, last_counted_at, suspect_first, suspect_since, suspect_polls, catalogue_size,
           (SELECT min(polled_at) FROM soc_polls AS poll WHERE poll.term = ?1 AND poll.campus = ?2)
           FROM soc_campuses WHERE term = ?1 AND campus = ?2""",
        [batch.term, batch.campus],
    ).fetchone()
    if row is None:
        return Campus()
    counts, last_counted_at, first, since, polls, catalogue_size, oldest_poll_at = row
    return Campus(
        counts=json.loads(counts),
        last_counted_at=moment_or_none(last_counted_at),
        suspicion=None if since is None else Suspicion(first=first.split(), since=from_text(since), polls=polls),
        catalogue_size=catalogue_size,
        oldest_poll_at=moment_or_none(oldest_poll_at),
    )


class _Sections(NamedTuple):
    """The known sections of a term and campus; empty where the answer was the same."""

    by_status: dict[str, frozenset[str]]
    misses: dict[str, int]
    unresolved: frozenset[str]


def _sections(db: Database, poll: Poll) -> _Sections:
    by_status: dict[str, list[str]] = {"OPEN": [], "CLOSED": [], "UNKNOWN": []}
    misses: dict[str, int] = {}
    unresolved: list[str] = []
    for status, missed, is_catalogued, joined in () if poll.is_same else _groups(db, poll):
        indexes = joined.split()
        by_status[status] += indexes
        misses.update(dict.fromkeys(indexes, missed) if missed else {})
        unresolved += [] if is_catalogued else indexes
    statuses = {status: frozenset(indexes) for status, indexes in by_status.items()}
    return _Sections(statuses, misses, frozenset(unresolved))


def _groups(db: Database, poll: Poll) -> Iterable[Sequence[Any]]:
    """The sections as one long text for each status: several times as fast as a row for each section."""
    return db.execute(
        """SELECT status, misses, is_catalogued, group_concat(index_number, ' ') FROM soc_sections
           WHERE term = ? AND campus = ? AND is_known = 1 GROUP BY status, misses, is_catalogued""",
        [poll.term, poll.campus],
    )


def _details(db: Database, poll: Poll, indexes: Iterable[str]) -> dict[str, Details]:
    wanted = json.dumps(list(indexes))
    if wanted == "[]":
        return {}
    rows = db.execute(
        """SELECT index_number, episode, section_number, course, title, open_to, permission FROM json_each(?)
           CROSS JOIN soc_sections ON term = ? AND campus = ? AND index_number = value""",
        [wanted, poll.term, poll.campus],
    )
    return {
        index: Details(
            episode=episode, section_number=number, course=course, title=title, open_to=open_to, permission=permission
        )
        for index, episode, number, course, title, open_to, permission in rows
    }


# who waits for which section

_CANDIDATES = """
SELECT subscription.id, index_number, created_at, window, snooze_until, unless_open,
    CASE WHEN event.status_before = 'CLOSED' THEN event.event_at END, event.id IS NOT NULL
FROM soc_subscriptions AS subscription
JOIN soc_sections AS section USING (term, campus, index_number)
LEFT JOIN soc_open_events AS event USING (term, campus, index_number, episode)
WHERE term = :term AND campus = :campus AND subscription.status IN ('pending', 'active') AND subscription.id > :after
    AND (section.status = 'OPEN' OR index_number IN (SELECT value FROM json_each(:appearing)))
    AND NOT EXISTS (SELECT 1 FROM soc_open_event_notifications AS notification
        WHERE notification.event_id = event.id AND notification.subscription_id = subscription.id)
ORDER BY subscription.id LIMIT :chunk"""


def _candidates(db: Database, poll: Poll, appearing: Collection[str], chunk: int) -> list[Candidate]:
    """Eligible subscriptions not yet notified of the episode of an open or appearing section; read a chunk at a time."""
    values = {"term": poll.term, "campus": poll.campus, "appearing": json.dumps(list(appearing)), "chunk": chunk}
    return [_candidate(row) for page in _pages(db, values) for row in page]


def _pages(db: Database, values: dict[str, Any]) -> Iterator[list[Any]]:
    after = -1
    while page := db.execute(_CANDIDATES, {**values, "after": after}).fetchall():
        yield page
        after = page[-1][0]
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
    )


def _deferred(db: Database, poll: Poll) -> list[Deferred]:
    """Notifications of this term and campus that wait for their time."""
    rows = db.execute(
        """SELECT event.id, dedupe_key, effect_key, subscription.id, subscription.status, event.index_number, episode,
               window, snooze_until
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
        )
        for row in rows
    ]
