"""What an answer changes: first sights, openings, closings and misses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pollctl import counted
from pollctl_soc_sections.decide.comparison import Comparison
from pollctl_soc_sections.decide.events import closing, open_event
from pollctl_soc_sections.decide.verdicts import Ruling
from pollctl_soc_sections.model import CountMisses, Decision, Poll, Settings, State, StoreStates


def first_sight(poll: Poll, comparison: Comparison, ruling: Ruling, now: datetime) -> Iterator[Decision]:
    """Sections that were never judged are stored, and nobody is notified; absent ones only where misses count."""
    absent = comparison.absent if ruling.is_counted else frozenset()
    if not comparison.appeared and not absent:
        return
    yield StoreStates(
        term=poll.term,
        campus=poll.campus,
        open=sorted(comparison.appeared),
        closed=sorted(absent),
        at=now,
        reason=f"first sight of {len(comparison.appeared)} open and {len(absent)} closed sections",
    )


def openings(state: State, poll: Poll, comparison: Comparison, now: datetime) -> Iterator[Decision]:
    """A closed section that is listed has opened."""
    for index in sorted(comparison.opened):
        yield open_event(state, poll, index, "CLOSED", now)


def closed_by(state: State, comparison: Comparison, settings: Settings) -> frozenset[str]:
    """Sections for which this miss is the last that was needed."""
    if settings.miss_threshold == 1:
        return comparison.missing
    missed = state.misses.items()
    return comparison.missing & {index for index, times in missed if times + 1 >= settings.miss_threshold}


def closings(state: State, poll: Poll, closed: Iterable[str], now: datetime, settings: Settings) -> Iterator[Decision]:
    """A section that was missed often enough has closed."""
    for index in sorted(closed):
        times = max(settings.miss_threshold, state.misses.get(index, 0) + 1)
        yield closing(state, poll, index, now, f"missed {counted(times, 'time')} in a row")


def misses(state: State, poll: Poll, missing: frozenset[str], now: datetime, *, is_counted: bool) -> Iterator[Decision]:
    """Open sections that are not listed are missed once more; those that are back were never closed."""
    missed = sorted(missing) if is_counted else []
    back = sorted(index for index in state.misses if index in poll.listed)
    if missed or back:
        reason = f"{len(missed)} open sections are not listed, {len(back)} are listed again"
        yield CountMisses(term=poll.term, campus=poll.campus, missed=missed, back=back, at=now, reason=reason)
