"""One batch, rung by rung: what the answer is worth, what it changes, who is notified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl_soc_sections.decide.changes import closed_by, closings, first_sight, misses, openings
from pollctl_soc_sections.decide.comparison import compare
from pollctl_soc_sections.decide.held import after_closing, closed_unseen, spared, unseen_closings
from pollctl_soc_sections.decide.notifications import notifications
from pollctl_soc_sections.decide.records import conclude
from pollctl_soc_sections.decide.verdicts import Ruling, failed, judge_answer, judge_same
from pollctl_soc_sections.model import (
    Batch,
    Campus,
    Catalogue,
    Decision,
    HoldUpstream,
    KeepCatalogue,
    Poll,
    PrunePolls,
    RollOver,
    Settings,
    State,
    StoreCatalogue,
)
from pollctl_soc_sections.model.identifiers import spoken_term

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
        yield from conclude(state, poll, failed(state.campus, poll), now, settings)
        return
    if poll.is_same:
        yield from roll_over(state, poll, now)
        yield from conclude(state, poll, judge_same(state.campus, now, settings), now, settings)
        yield from notifications(state, poll, frozenset(), now)
        return
    yield from roll_over(state, poll, now)
    comparison = compare(state, poll, settings)
    ruling = judge_answer(state, poll, comparison, now, settings)
    yield from conclude(state, poll, ruling, now, settings, comparison)
    if ruling.verdict == "rejected":
        return
    unseen = closed_unseen(state, ruling, settings)
    yield from unseen_closings(state, poll, unseen, now)
    yield from changes(after_closing(state, unseen), poll, ruling, now, settings)
    yield from spared(state, poll, unseen)


def roll_over(state: State, poll: Poll, now: datetime) -> Iterator[Decision]:
    """Subscriptions that roll with the calendar go on in the term that has become the current one."""
    if state.rolling:
        reason = f"{spoken_term(poll.term)} has become the current term"
        yield RollOver(term=poll.term, subscriptions=state.rolling, at=now, reason=reason)


def changes(state: State, poll: Poll, ruling: Ruling, now: datetime, settings: Settings) -> Iterator[Decision]:
    """What an answer changes: first sights, openings, closings and misses; then who is notified."""
    comparison = compare(state, poll, settings)
    yield from first_sight(poll, comparison, ruling, now)
    yield from openings(state, poll, comparison, now)
    closing = closed_by(state, comparison, settings) if ruling.is_counted else frozenset()
    yield from closings(state, poll, closing, now, settings)
    yield from misses(state, poll, comparison.missing - closing, now, is_counted=ruling.is_counted)
    yield from notifications(state, poll, closing, now)


def prune(campus: Campus, poll: Poll, now: datetime) -> Iterator[Decision]:
    """Polls are kept for thirty days."""
    oldest = campus.oldest_poll_at
    if oldest is not None and now - oldest > KEEP_POLLS:
        reason = f"polls are kept for {KEEP_POLLS.days} days"
        yield PrunePolls(term=poll.term, campus=poll.campus, before=now - KEEP_POLLS, reason=reason)
