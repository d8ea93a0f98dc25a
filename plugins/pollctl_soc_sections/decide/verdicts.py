"""What an answer is worth: a verdict, why, and what the next answer is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from statistics import median_low
from typing import NamedTuple

from pollctl_soc_sections.decide.comparison import Comparison
from pollctl_soc_sections.decide.full_campus import evidence_that_it_is_full, holds_none_of_its_own
from pollctl_soc_sections.model import Campus, Poll, PollVerdict, Reference, Settings, State, Suspicion

REMEMBERED = 16
"""Accepted counts that the baseline is computed from."""
AGREEMENT = Fraction(1, 100)
"""How much a suspect answer may differ from the first of its run and still agree with it."""


class Ruling(NamedTuple):
    """What an answer is worth.

    Attributes:
        is_counted: whether misses count, and what was never seen before counts as closed.
        suspicion: the run of suspect answers from here on.
        counts: the accepted counts from here on.
    """

    verdict: PollVerdict
    reason: str
    is_counted: bool
    suspicion: Suspicion | None
    counts: list[int]


def failed(campus: Campus, poll: Poll) -> Ruling:
    """No answer that could be read: nothing changes, and nothing is forgotten."""
    return Ruling("failed", poll.failure, False, campus.suspicion, campus.counts)


def judge_same(campus: Campus, now: datetime, settings: Settings) -> Ruling:
    """The same content as last time is a successful poll."""
    if not is_apart(campus, now, settings):
        return too_soon(campus, settings)
    count = campus.counts[-1] if campus.counts else 0
    return accepted(campus, count, f"the same as last time: {count} open")


def judge_answer(state: State, poll: Poll, comparison: Comparison, now: datetime, settings: Settings) -> Ruling:
    """Of another term or campus, empty, too soon, fallen sharply, or good: the first that holds."""
    campus, full = state.campus, None
    if holds_none_of_its_own(state, poll, comparison, settings):
        full = evidence_that_it_is_full(state, now, settings)
        if full is None:
            reason = f"none of {len(poll.listed)} sections is in the catalogue of {poll.campus}: wrong term or campus?"
            return Ruling("rejected", reason, False, campus.suspicion, campus.counts)
    is_counted = is_apart(campus, now, settings)
    if not poll.listed and state.open:
        return judge_empty(state, now, settings, is_counted=is_counted)
    if not is_counted:
        return too_soon(campus, settings)
    base = baseline(campus.counts)
    if poll.listed and base is not None and is_sharp(base, comparison.known, settings):
        own = poll.listed & (state.open | comparison.opened | comparison.appeared)
        reason = f"{comparison.known} open after {base}: closings are held"
        return judge_suspect("suspect_drop", reason, campus, own, now, settings)
    return accepted(campus, comparison.known, what_is_known(poll, comparison, full))


def what_is_known(poll: Poll, comparison: Comparison, full: Reference | None) -> str:
    """Why an answer is a good one."""
    if full is None:
        return f"{comparison.known} of {len(poll.listed)} listed sections are known here"
    shared = f"it holds {full.shared} of {full.size} sections that were listed for {full.campus}"
    return f"{poll.campus} is full: {shared}, as the upstream lists all campuses"


def is_apart(campus: Campus, now: datetime, settings: Settings) -> bool:
    """Whether this answer counts as one of its own; one before the last counted one does (the clock stepped back)."""
    last = campus.last_counted_at
    return last is None or not timedelta() <= now - last < settings.min_poll_gap


def too_soon(campus: Campus, settings: Settings) -> Ruling:
    """Only openings count."""
    reason = f"within {settings.min_poll_gap} of the last counted answer: only openings count"
    return Ruling("too_soon", reason, False, campus.suspicion, campus.counts)


def judge_empty(state: State, now: datetime, settings: Settings, *, is_counted: bool) -> Ruling:
    """Nothing open, while sections are known open: an outage, unless the settings let it be believed."""
    campus = state.campus
    reason = f"empty while {len(state.open)} sections are known open: nothing is closed"
    if not settings.confirm_empty or not is_counted:
        suspicion = None if is_counted else campus.suspicion
        return Ruling("suspect_empty", reason, False, suspicion, campus.counts)
    if baseline(campus.counts) == 0:
        return accepted(campus, 0, "empty, as was believed before")
    return judge_suspect("suspect_empty", reason, campus, frozenset(), now, settings)


def baseline(counts: Sequence[int]) -> int | None:
    """What a count is compared with: the lower median of the last 16 accepted ones, or the last if that is more."""
    return max(median_low(counts), counts[-1]) if counts else None


def is_sharp(base: int, count: int, settings: Settings) -> bool:
    """Whether a fall is suspect; computed in fractions, so that no rounding moves the border."""
    share = Fraction(str(settings.drop_guard)) * base
    return base - count >= share and base - count >= settings.drop_guard_min


def judge_suspect(
    verdict: PollVerdict, reason: str, campus: Campus, own: frozenset[str], now: datetime, settings: Settings
) -> Ruling:
    """A suspect answer is believed once enough that agree have come over long enough a time."""
    run = campus.suspicion
    if run is None or now < run.since or len(own.symmetric_difference(run.first)) > AGREEMENT * len(run.first):
        run = Suspicion(first=sorted(own), since=now, polls=0)
    run = Suspicion(first=run.first, since=run.since, polls=run.polls + 1)
    if run.polls >= settings.confirm_polls and now - run.since >= settings.confirm_span:
        believed = f"{run.polls} answers over {now - run.since} agree: believed"
        return Ruling("confirmed", believed, True, None, [len(own)])
    return Ruling(verdict, f"{reason} ({run.polls} of {settings.confirm_polls})", False, run, campus.counts)


def accepted(campus: Campus, count: int, reason: str) -> Ruling:
    """A good answer; it ends a run of suspect ones."""
    return Ruling("accepted", reason, True, None, [*campus.counts, count][-REMEMBERED:])
