"""Polls, and what the next one is judged by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_soc_sections.model import HoldUpstream, PrunePolls, RecordPoll
from pollctl_soc_sections.store.moments import text_or_none

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
    """Keep polls, and what the next ones are judged by; a rejected one makes the pass partial."""
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
            text_or_none(poll.last_counted_at),
            poll.settled_hash,
            " ".join(suspicion.first) if suspicion else None,
            text_or_none(suspicion.since) if suspicion else None,
            suspicion.polls if suspicion else 0,
        ],
    )


def prune(db: Database, pruned: Sequence[PrunePolls], _: Run) -> None:
    """Delete old polls, a few at a time."""
    for it in pruned:
        db.execute(
            """DELETE FROM soc_polls WHERE id IN (SELECT id FROM soc_polls WHERE term = ? AND campus = ?
               AND polled_at < ? ORDER BY polled_at LIMIT ?)""",
            [it.term, it.campus, to_text(it.before), PRUNED_AT_ONCE],
        )
