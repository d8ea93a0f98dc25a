"""The SQL of a pass: what fetch asks, ``load``, ``apply`` and ``settle``; see also tables.py and listings.py."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl import from_text, to_text
from pollctl_soc_sections import catalogues, fanout
from pollctl_soc_sections.model import (
    Batch,
    Campus,
    Catalogue,
    CloseSection,
    CountMisses,
    Details,
    EndNotification,
    FanOut,
    HoldUpstream,
    KeepCatalogue,
    OpenEvent,
    Poll,
    PrunePolls,
    RecordPoll,
    Release,
    State,
    StoreCatalogue,
    StoreStates,
    Suspicion,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

PRUNED_AT_ONCE = 500
"""Polls that one batch lets go at most: far more than it adds."""

# what fetch asks


class Known(NamedTuple):
    """What fetch must know of a term and campus.

    Attributes:
        settled_hash: of the answer that every status agrees with; None when the next one must be read.
        read_at, tried_at: when the catalogue was read, and asked for, last.
        has_failed_first: whether there is no catalogue because the last attempt failed.
    """

    settled_hash: str | None = None
    catalogue_size: int = 0
    read_at: datetime | None = None
    tried_at: datetime | None = None
    has_failed_first: bool = False


NOTHING = Known()


def known_campuses(db: Database) -> dict[tuple[str, str], Known]:
    """What is known, by term and campus."""
    rows = db.execute(
        """SELECT term, campus, catalogue_size, catalogue_read_at, catalogue_tried_at, catalogue_failure,
           CASE WHEN NOT EXISTS (SELECT 1 FROM soc_sections AS section WHERE section.term = campus.term
               AND section.campus = campus.campus AND section.status = 'UNKNOWN' AND is_known = 1)
               THEN settled_hash END
           FROM soc_campuses AS campus"""
    )
    return {
        (term, campus): Known(settled_hash, size, _moment(read_at), _moment(tried_at), bool(failure and not size))
        for term, campus, size, read_at, tried_at, failure, settled_hash in rows
    }


# load


def load(db: Database, batch: Batch, run: Run) -> State:
    """What is known of one term and campus, as far as this batch can change it."""
    campus = _campus(db, batch)
    if isinstance(batch, Catalogue) or batch.failure:
        return State(campus=campus)
    statuses, misses, unresolved = _sections(db, batch)
    changing = batch.listed & statuses["CLOSED"]
    candidates = fanout.candidates(db, batch, changing | (batch.listed & statuses["UNKNOWN"]), run.settings.chunk)
    deferred = fanout.deferred(db, batch)
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
        dead=fanout.dead(db, batch, run.plugin),
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
        last_counted_at=_moment(last_counted_at),
        suspicion=None if since is None else Suspicion(first=first.split(), since=from_text(since), polls=polls),
        catalogue_size=catalogue_size,
        oldest_poll_at=_moment(oldest_poll_at),
    )


class _Sections(NamedTuple):
    """The known sections of a term and campus; empty where the answer was the same."""

    by_status: dict[str, frozenset[str]]
    misses: dict[str, int]
    unresolved: frozenset[str]


def _sections(db: Database, poll: Poll) -> _Sections:
    """Read them as a long text for each status: several times as fast as a row for each section."""
    by_status: dict[str, list[str]] = {"OPEN": [], "CLOSED": [], "UNKNOWN": []}
    misses: dict[str, int] = {}
    unresolved: list[str] = []
    for status, missed, is_catalogued, joined in (
        ()
        if poll.is_same
        else db.execute(
            """SELECT status, misses, is_catalogued, group_concat(index_number, ' ') FROM soc_sections
           WHERE term = ? AND campus = ? AND is_known = 1 GROUP BY status, misses, is_catalogued""",
            [poll.term, poll.campus],
        )
    ):
        indexes = joined.split()
        by_status[status] += indexes
        misses.update(dict.fromkeys(indexes, missed) if missed else {})
        unresolved += [] if is_catalogued else indexes
    statuses = {status: frozenset(indexes) for status, indexes in by_status.items()}
    return _Sections(statuses, misses, frozenset(unresolved))


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


# apply


def apply(db: Database, decisions: Sequence[Any], run: Run) -> None:
    """Write what was decided, each kind at once, in the order in which they rest on each other."""
    by_kind: defaultdict[type, list[Any]] = defaultdict(list)
    for decision in decisions:
        by_kind[type(decision)].append(decision)
    for kind, write in _WRITERS:
        if by_kind[kind]:
            write(db, by_kind[kind], run)


def _hold(_: Database, holds: Sequence[HoldUpstream], run: Run) -> None:
    from pollctl_soc_sections.fetch import upstream_of

    for hold in holds:
        run.hold(upstream_of(run.settings.base_url), hold.until)


def _record_polls(db: Database, polls: Sequence[RecordPoll], run: Run) -> None:
    for poll in polls:
        at = to_text(poll.polled_at)
        db.execute(
            """INSERT INTO soc_polls (term, campus, polled_at, verdict, listed_count, known_count, ignored_count,
               content_hash, reason, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [poll.term, poll.campus, at, poll.verdict, poll.listed, poll.known, poll.ignored,
             poll.content_hash or None, poll.reason, run.id],
        )  # fmt: skip
        _remember(db, poll, at)
        run.count(polls=1)
        if poll.verdict == "rejected":
            run.failed(f"{poll.term} {poll.campus}", poll.reason)


def _remember(db: Database, poll: RecordPoll, at: str) -> None:
    suspicion = poll.suspicion
    db.execute(
        """INSERT INTO soc_campuses AS campus (term, campus, polls, failures, suspects, last_poll_at, counts,
               last_counted_at, settled_hash, suspect_first, suspect_since, suspect_polls)
           VALUES (?1, ?2, 1, ?3, ?4, CASE WHEN ?5 THEN NULL ELSE ?6 END, ?7, ?8, ?9, ?10, ?11, ?12)
           ON CONFLICT DO UPDATE SET polls = polls + 1, failures = failures + ?3, suspects = suspects + ?4,
               last_poll_at = coalesce(excluded.last_poll_at, last_poll_at),
               settled_hash = CASE WHEN ?5 THEN settled_hash ELSE ?9 END,
               counts = ?7, last_counted_at = ?8, suspect_first = ?10, suspect_since = ?11, suspect_polls = ?12""",
        [
            poll.term,
            poll.campus,
            poll.is_unread,
            poll.verdict.startswith("suspect"),
            poll.is_unread,
            at,
            json.dumps(poll.counts),
            _text(poll.last_counted_at),
            poll.settled_hash,
            " ".join(suspicion.first) if suspicion else None,
            _text(suspicion.since) if suspicion else None,
            suspicion.polls if suspicion else 0,
        ],
    )


def _store_states(db: Database, stored: Sequence[StoreStates], _: Run) -> None:
    db.conn.executemany(
        """INSERT INTO soc_sections (term, campus, index_number, status, changed_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET status = excluded.status, changed_at = excluded.changed_at, is_known = 1""",
        [
            (first.term, first.campus, index, status, to_text(first.at))
            for first in stored
            for status, indexes in (("OPEN", first.open), ("CLOSED", first.closed))
            for index in indexes
        ],
    )


def _count_misses(db: Database, counted: Sequence[CountMisses], _: Run) -> None:
    for sign, chosen in (("misses + 1", "missed"), ("0", "back")):
        db.conn.executemany(
            f"UPDATE soc_sections SET misses = {sign} WHERE term = ? AND campus = ? AND index_number = ?",  # noqa: S608
            [(it.term, it.campus, index) for it in counted for index in getattr(it, chosen)],
        )


def _close(db: Database, closed: Sequence[CloseSection], run: Run) -> None:
    """Closing ends the episode: the next opening is news again."""
    keys = [(it.term, it.campus, it.index_number) for it in closed]
    db.conn.executemany(
        """UPDATE soc_sections SET status = 'CLOSED', misses = 0, episode = episode + 1, changed_at = ?
           WHERE term = ? AND campus = ? AND index_number = ?""",
        [(to_text(it.event_at), *key) for it, key in zip(closed, keys, strict=True)],
    )
    db.conn.executemany(
        """UPDATE soc_subscriptions SET last_known_section_status = 'CLOSED'
           WHERE term = ? AND campus = ? AND index_number = ? AND last_known_section_status = 'OPEN'
           AND status <> 'unsubscribed'""",
        keys,
    )
    _add_status_events(db, closed, "CLOSED", "OPEN", -1, run)
    run.count(closed=len(closed))


def _open(db: Database, events: Sequence[OpenEvent], run: Run) -> None:
    opened = [event for event in events if event.status_before == "CLOSED"]
    db.conn.executemany(
        """UPDATE soc_sections SET status = 'OPEN', changed_at = ?
           WHERE term = ? AND campus = ? AND index_number = ?""",
        [(to_text(it.event_at), it.term, it.campus, it.index_number) for it in opened],
    )
    _add_status_events(db, opened, "OPEN", "CLOSED", 1, run)
    fanout.add_events(db, events, run)
    run.count(opened=len(opened))


def _add_status_events(
    db: Database, changed: Sequence[OpenEvent | CloseSection], status: str, before: str, seat_delta: int, run: Run
) -> None:
    db.conn.executemany(
        """INSERT INTO soc_status_events (term, campus, index_number, status, status_before, seat_delta, episode,
           event_at, dedupe_key, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (dedupe_key) DO NOTHING""",
        [
            (it.term, it.campus, it.index_number, status, before, seat_delta, it.episode,
             to_text(it.event_at), it.dedupe_key, run.id)
            for it in changed
        ],
    )  # fmt: skip


def _prune(db: Database, pruned: Sequence[PrunePolls], _: Run) -> None:
    for it in pruned:
        db.execute(
            """DELETE FROM soc_polls WHERE id IN (SELECT id FROM soc_polls WHERE term = ? AND campus = ?
               AND polled_at < ? ORDER BY polled_at LIMIT ?)""",
            [it.term, it.campus, to_text(it.before), PRUNED_AT_ONCE],
        )


_WRITERS: Sequence[tuple[type, Callable[[Database, Any, Run], None]]] = (
    (HoldUpstream, _hold),
    (RecordPoll, _record_polls),
    (StoreCatalogue, catalogues.store),
    (KeepCatalogue, catalogues.keep),
    (StoreStates, _store_states),
    (CountMisses, _count_misses),
    (CloseSection, _close),
    (OpenEvent, _open),
    (FanOut, fanout.add_notifications),
    (Release, fanout.release),
    (EndNotification, fanout.end),
    (PrunePolls, _prune),
)


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return to_text(moment) if moment else None
