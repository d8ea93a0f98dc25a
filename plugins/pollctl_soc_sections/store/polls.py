"""Polls, and what the next one is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_soc_sections.deliver import doubt_message
from pollctl_soc_sections.model import HoldUpstream, KeepAnswer, PrunePolls, RecordPoll, TellOperators
from pollctl_soc_sections.store.memory import memory_columns, pack
from pollctl_soc_sections.store.outgoing import DOUBT

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

PRUNED_AT_ONCE = 500
"""Polls that one batch deletes at most: far more than it adds."""


def hold(_: Database, holds: Sequence[HoldUpstream], run: Run) -> None:
    """Hold the upstream as long as it wants no request."""
    for it in holds:
        run.hold(run.settings.upstream, it.until)


def record(db: Database, polls: Sequence[RecordPoll], run: Run) -> None:
    """Keep polls, and what the next ones are judged by; where nothing can be believed the pass is partial."""
    for poll in polls:
        at = to_text(poll.polled_at)
        db.execute(
            """INSERT INTO soc_polls (term, campus, polled_at, verdict, listed_count, known_count, ignored_count,
               content_hash, duration_ms, reason, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [poll.term, poll.campus, at, poll.verdict, poll.listed, poll.known, poll.ignored,
             poll.content_hash or None, poll.duration_ms, poll.reason, run.id],
        )  # fmt: skip
        _remember(db, poll, at)
        run.count(polls=1)
        if poll.doubt:
            run.failed(f"{poll.term} {poll.campus}", poll.doubt)


def _remember(db: Database, poll: RecordPoll, at: str) -> None:
    row = {
        "term": poll.term,
        "campus": poll.campus,
        "polls": 1,
        "failures": poll.is_unread,
        "suspects": poll.verdict.startswith("suspect"),
        "last_poll_at": None if poll.is_unread else at,
        "last_duration_ms": poll.duration_ms,
        **memory_columns(poll.remembered),
    }
    updates = ", ".join(f"{name} = {_UPDATES.get(name, f'excluded.{name}')}" for name in list(row)[2:])
    db.execute(
        f"""INSERT INTO soc_campuses AS campus ({", ".join(row)}) VALUES ({", ".join(f":{name}" for name in row)})
           ON CONFLICT DO UPDATE SET {updates}""",  # noqa: S608 - own names
        row,
    )


_UPDATES = {
    "polls": "polls + 1",
    "failures": "failures + excluded.failures",
    "suspects": "suspects + excluded.suspects",
    "last_poll_at": "coalesce(excluded.last_poll_at, last_poll_at)",
}


def keep_answers(db: Database, kept: Sequence[KeepAnswer], _: Run) -> None:
    """Keep the last accepted answer of a term and campus whose answers hold sections of others."""
    db.conn.executemany(
        """INSERT INTO soc_answers (term, campus, size, sections) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET size = excluded.size, sections = excluded.sections""",
        [(it.term, it.campus, len(it.listed), pack(it.listed)) for it in kept],
    )


def tell_operators(_: Database, told: Sequence[TellOperators], run: Run) -> None:
    """Tell whoever runs this that nothing can be believed about a term and campus.

    One message for all that began in the same pass: an upstream that is down is one trouble, however many campuses it has.
    """
    for it in told:
        title, body = doubt_message(it, run)
        run.tell(f"{DOUBT}:{to_text(it.since)}", title, body, level="warning")


def prune(db: Database, pruned: Sequence[PrunePolls], _: Run) -> None:
    """Delete old polls, a few at a time."""
    for it in pruned:
        db.execute(
            """DELETE FROM soc_polls WHERE id IN (SELECT id FROM soc_polls WHERE term = ? AND campus = ?
               AND polled_at < ? ORDER BY polled_at LIMIT ?)""",
            [it.term, it.campus, to_text(it.before), PRUNED_AT_ONCE],
        )
