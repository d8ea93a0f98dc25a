"""What ``decide`` is given: a term and campus with its sections, and who waits for which of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl import from_text
from pollctl_soc_sections.model import Batch, Campus, Catalogue, Details, Poll, Reference, State
from pollctl_soc_sections.store.candidates import candidates, deferred, rolling
from pollctl_soc_sections.store.memory import memory_of, shared
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
    unseen = (batch.listed & statuses["OPEN"]).difference(campus.held.seen) if campus.held else frozenset()
    waiting = candidates(db, batch, changing | (batch.listed & statuses["UNKNOWN"]), unseen, run.settings.chunk)
    known = statuses["OPEN"] | statuses["CLOSED"] | statuses["UNKNOWN"]
    is_foreign = bool(batch.listed) and (known - unresolved).isdisjoint(batch.listed)
    later = deferred(db, batch)
    touched = {it.index_number for it in waiting} | {it.index_number for it in later}
    local = run.now.astimezone(run.timezone)
    return State(
        campus=campus,
        minute=local.hour * 60 + local.minute,
        open=statuses["OPEN"],
        closed=statuses["CLOSED"],
        unknown=statuses["UNKNOWN"],
        misses=misses,
        unresolved=unresolved,
        references=_references(db, batch) if is_foreign else [],
        details=_details(db, batch, touched.union(changing, unseen, statuses["OPEN"] - batch.listed)),
        candidates=waiting,
        deferred=later,
        rolling=rolling(db, batch, run.now),
    )


def _campus(db: Database, batch: Batch) -> Campus:
    rows = db.query(
        """SELECT *, (SELECT min(polled_at) FROM soc_polls AS poll WHERE poll.term = :term AND poll.campus = :campus)
           AS oldest_poll_at FROM soc_campuses WHERE term = :term AND campus = :campus""",
        {"term": batch.term, "campus": batch.campus},
    )
    row = next(iter(rows), None)
    if row is None:
        return Campus()
    return Campus(
        **memory_of(row), catalogue_size=row["catalogue_size"], oldest_poll_at=moment_or_none(row["oldest_poll_at"])
    )


def _references(db: Database, poll: Poll) -> list[Reference]:
    """What the last accepted answers for other campuses share with this one, where the upstream ignores the campus."""
    rows = db.execute(
        """SELECT campus, accepted_at, size, sections FROM soc_answers JOIN soc_campuses USING (term, campus)
           WHERE term = ? AND campus <> ? AND ignores_campus = 1 AND accepted_at IS NOT NULL
           ORDER BY accepted_at DESC, campus""",
        [poll.term, poll.campus],
    )
    return [
        Reference(campus=campus, accepted_at=from_text(at), size=size, shared=shared(bits, poll.listed))
        for campus, at, size, bits in rows
    ]


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
        """SELECT index_number, episode, section_number, course, title, open_to, permission, eligibility, subtitle
           FROM json_each(?)
           CROSS JOIN soc_sections ON term = ? AND campus = ? AND index_number = value""",
        [wanted, poll.term, poll.campus],
    )
    return {
        index: Details(
            episode=episode,
            section_number=number,
            course=course,
            title=title,
            open_to=open_to,
            permission=permission,
            eligibility=eligibility,
            subtitle=subtitle,
        )
        for index, episode, number, course, title, open_to, permission, eligibility, subtitle in rows
    }
