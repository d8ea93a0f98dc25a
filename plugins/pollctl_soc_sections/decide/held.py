"""Runs of held answers: what a long one has closed unseen, and since when nothing could be believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import replace

from pollctl import spoken_length
from pollctl_soc_sections.decide.events import closing, dedupe_key
from pollctl_soc_sections.decide.verdicts import Ruling
from pollctl_soc_sections.model import (
    Candidate,
    Decision,
    HeldRun,
    Memory,
    Poll,
    PollVerdict,
    Settings,
    Spare,
    State,
    TellOperators,
)

HELD: tuple[PollVerdict, ...] = ("suspect_empty", "suspect_drop", "rejected")
ACCEPTED: tuple[PollVerdict, ...] = ("accepted", "confirmed")
ALL_ARE_TOLD_AFTER = timedelta(hours=6)
"""A run that lasted longer is told to those too who were notified of the opening before it."""


def next_run(run: HeldRun | None, ruling: Ruling, present: frozenset[str], now: datetime) -> HeldRun | None:
    """The run of held answers from here on; a failed poll, or one that came too soon, neither extends nor ends it.

    Args:
        run: the run until now.
        ruling: what the present answer is worth.
        present: the campus' own open sections in the present answer.
        now: when it came.
    """
    if ruling.verdict in ACCEPTED:
        return None
    if ruling.verdict not in HELD:
        return run
    if run is None:
        return HeldRun(since=now, last_at=now, seen=sorted(present))
    return HeldRun(since=min(run.since, now), last_at=now, seen=sorted(present.union(run.seen)))


def closed_unseen(state: State, ruling: Ruling, settings: Settings) -> frozenset[str]:
    """Sections that were open before a long run of held answers and in none of them; the answer that ends it closes them."""
    run = state.campus.held
    if run is None or ruling.verdict not in ACCEPTED or run.span < settings.doubt_after:
        return frozenset()
    return state.open.difference(run.seen)


def unseen_closings(state: State, poll: Poll, closed: frozenset[str], now: datetime) -> Iterator[Decision]:
    """Close what was absent from all of a long run of held answers."""
    run = state.campus.held
    if run is None:
        return
    reason = f"in none of the answers that were held over {spoken_length(run.span)}"
    for index in sorted(closed):
        yield closing(state, poll, index, now, reason)


def after_closing(state: State, closed: frozenset[str]) -> State:
    """What is known once these sections have closed: the answer is judged by that."""
    run = state.campus.held
    if not closed or run is None:
        return state
    details = {
        index: replace(one, episode=one.episode + 1, unread_since=run.since) if index in closed else one
        for index, one in state.details.items()
    }
    candidates = [
        replace(one, has_event=False, told=None) if one.index_number in closed else one
        for one in state.candidates
        if not is_spared(state, one, closed)
    ]
    return replace(
        state,
        open=state.open - closed,
        closed=state.closed | closed,
        misses={index: times for index, times in state.misses.items() if index not in closed},
        details=details,
        candidates=candidates,
    )


def is_spared(state: State, candidate: Candidate, closed: frozenset[str]) -> bool:
    """Whether a subscription heard of the opening before, not long ago, so that this one may be no news to it."""
    run = state.campus.held
    is_short = run is not None and run.span <= ALL_ARE_TOLD_AFTER
    return candidate.index_number in closed and candidate.told == "sent" and is_short


def spared(state: State, poll: Poll, closed: frozenset[str]) -> Iterator[Decision]:
    """Note who need not be told, so that no later answer tells them either."""
    chosen = [one for one in state.candidates if is_spared(state, one, closed)]
    for index, grouped in groupby(sorted(chosen, key=by_section), key=lambda one: one.index_number):
        yield Spare(
            dedupe_key=dedupe_key(poll, index, "OPEN", state.details[index].episode + 1),
            subscriptions=[one.id for one in grouped],
            reason=f"section {index} may have been open all along, and they were told before",
        )


def by_section(candidate: Candidate) -> tuple[str, int]:
    """The order of what is kept."""
    return candidate.index_number, candidate.id


class Doubt(NamedTuple):
    """Since when nothing could be believed about a campus, and why."""

    since: datetime
    what: str


def doubt(memory: Memory, now: datetime, settings: Settings) -> Doubt | None:
    """What people must know of, once a run of held answers, or of failed polls, has lasted ``doubt_after``."""
    held, failing = memory.held, memory.failing_since
    if held is not None and held.span >= settings.doubt_after:
        return Doubt(held.since, "every answer was held back")
    if failing is not None and now - failing >= settings.doubt_after:
        return Doubt(failing, "every poll failed")
    return None


def tell_operators(before: Memory, poll: Poll, found: Doubt | None, why: str) -> Iterator[Decision]:
    """Once for each time that it lasts so long."""
    if found is not None and before.doubted_since is None:
        yield TellOperators(term=poll.term, campus=poll.campus, since=found.since, what=found.what, reason=why)
