"""One batch, rung by rung: what the answer is worth, what it changes, who is notified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl_soc_sections.decide.changes import closed_by, closings, first_sight, misses, openings
from pollctl_soc_sections.decide.comparison import compare
from pollctl_soc_sections.decide.notifications import notifications
from pollctl_soc_sections.decide.verdicts import Ruling, failed, is_apart, judge_answer, judge_same
from pollctl_soc_sections.model import (
    Batch,
    Campus,
    Catalogue,
    Decision,
    HoldUpstream,
    KeepCatalogue,
    Poll,
    PrunePolls,
    RecordPoll,
    Settings,
    State,
    StoreCatalogue,
)

KEEP_POLLS = timedelta(days=30)


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one answer of the upstream changes."""
    decisions: list[Decision] = []
    if batch.hold_until is not None:
        decisions.append(HoldUpstream(until=batch.hold_until, reason=batch.failure))
    if isinstance(batch, Catalogue):
        return [*decisions, judge_catalogue(state.campus, batch, now)]
    return [*decisions, *judge_poll(state, batch, now, settings), *prune(state.campus, batch, now)]


def judge_catalogue(campus: Campus, batch: Catalogue, now: datetime) -> Decision:
    """A catalogue is kept; one that cannot be read, or is suddenly empty, leaves the old one in place."""
    failure = batch.failure
    if not failure and not batch.sections and campus.catalogue_size:
        failure = "the catalogue is suddenly empty"
    if failure:
        reason = f"going on with {campus.catalogue_size} known sections: {failure}"
        return KeepCatalogue(term=batch.term, campus=batch.campus, tried_at=now, failure=failure, reason=reason)
    return StoreCatalogue(
        term=batch.term,
        campus=batch.campus,
        sections=batch.sections,
        is_first=not campus.catalogue_size,
        read_at=now,
        reason=f"{len(batch.sections)} sections",
    )


def judge_poll(state: State, poll: Poll, now: datetime, settings: Settings) -> Iterator[Decision]:
    """What one poll is worth, then what it changes, then who is notified."""
    if poll.failure:
        yield record(state.campus, poll, failed(state.campus, poll), now, settings)
        return
    if poll.is_same:
        same = judge_same(state.campus, now, settings)
        yield record(state.campus, poll, same, now, settings, settled_hash=poll.content_hash)
        yield from notifications(state, poll, frozenset(), now)
        return
    comparison = compare(state, poll, settings)
    ruling = judge_answer(state, poll, comparison, now, settings)
    if ruling.verdict == "rejected":
        yield record(state.campus, poll, ruling, now, settings, known=comparison.known)
        return
    settled_hash = poll.content_hash if ruling.is_counted and not comparison.missing else None
    yield record(state.campus, poll, ruling, now, settings, known=comparison.known, settled_hash=settled_hash)
    yield from first_sight(poll, comparison, ruling, now)
    yield from openings(state, poll, comparison, now)
    closing = closed_by(state, comparison, settings) if ruling.is_counted else frozenset()
    yield from closings(state, poll, closing, now, settings)
    yield from misses(state, poll, comparison.missing - closing, is_counted=ruling.is_counted)
    yield from notifications(state, poll, closing, now)


def record(
    campus: Campus,
    poll: Poll,
    ruling: Ruling,
    now: datetime,
    settings: Settings,
    *,
    known: int | None = None,
    settled_hash: str | None = None,
) -> RecordPoll:
    """The poll itself, and what the next one is judged by; one within the gap does not begin another gap."""
    is_unread = ruling.verdict in ("failed", "rejected")
    is_one_more = not is_unread and is_apart(campus, now, settings)
    if poll.is_same:
        known = campus.counts[-1] if campus.counts else 0
    return RecordPoll(
        term=poll.term,
        campus=poll.campus,
        verdict=ruling.verdict,
        polled_at=now,
        content_hash=poll.content_hash,
        listed=None if poll.failure or poll.is_same else len(poll.listed),
        known=known,
        ignored=poll.ignored,
        counts=ruling.counts,
        last_counted_at=now if is_one_more else campus.last_counted_at,
        suspicion=ruling.suspicion,
        settled_hash=settled_hash,
        is_unread=is_unread,
        reason=ruling.reason,
    )


def prune(campus: Campus, poll: Poll, now: datetime) -> Iterator[Decision]:
    """Polls are kept for thirty days."""
    oldest = campus.oldest_poll_at
    if oldest is not None and now - oldest > KEEP_POLLS:
        reason = f"polls are kept for {KEEP_POLLS.days} days"
        yield PrunePolls(term=poll.term, campus=poll.campus, before=now - KEEP_POLLS, reason=reason)
