"""Who is notified of an open section, now or later, and what becomes of notifications that wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from msgspec.structs import replace

from pollctl_soc_sections.decide.events import dedupe_key, open_event
from pollctl_soc_sections.model import (
    ELIGIBLE,
    Candidate,
    Decision,
    Deferred,
    EndNotification,
    FanOut,
    FanOutCourse,
    Poll,
    Release,
    State,
    quiet_reason,
)


def notifications(state: State, poll: Poll, closing: frozenset[str], now: datetime) -> Iterator[Decision]:
    """Fan out to subscriptions that were not notified of this episode, and look after notifications that wait."""
    chosen = sorted((it for it in state.candidates if is_to_be_notified(state, poll, it)), key=by_section)
    of_one = [candidate for candidate in chosen if not candidate.course]
    yield from shared_events(state, poll, chosen, now)
    for index, grouped in groupby(of_one, key=lambda candidate: candidate.index_number):
        yield from fan_out(state, poll, index, list(grouped), now)
    of_courses = sorted((it for it in chosen if it.course), key=lambda candidate: candidate.id)
    for _, followed in groupby(of_courses, key=lambda candidate: candidate.id):
        yield fan_out_course(state, poll, list(followed), now)
    yield from waiting_ones(state, poll, closing, now)


def shared_events(state: State, poll: Poll, chosen: Sequence[Candidate], now: datetime) -> Iterator[Decision]:
    """The event of an episode that began before anybody wanted to know of it; all its notifications share it."""
    for index, grouped in groupby(chosen, key=lambda candidate: candidate.index_number):
        if index not in state.closed and not any(candidate.has_event for candidate in grouped):
            yield open_event(state, poll, index, "UNKNOWN", now)


def is_to_be_notified(state: State, poll: Poll, candidate: Candidate) -> bool:
    """Whether this answer shows the section open, and the subscriber wants a notification even if it was open before.

    What was absent from an accepted answer since the subscription was made was not open from the start.
    """
    if candidate.told is not None or not is_listed(poll, candidate.index_number):
        return False
    if candidate.index_number in state.closed or not candidate.unless_open:
        return True
    return any(at is not None and at > candidate.created_at for at in (candidate.opened_at, candidate.missed_at))


def is_listed(poll: Poll, index: str) -> bool:
    """Whether an answer holds an open section; one that is the same as last time holds all of them."""
    return poll.is_same or index in poll.listed


def by_section(candidate: Candidate) -> tuple[str, int]:
    """The order of the fan-out."""
    return candidate.index_number, candidate.id


def fan_out(state: State, poll: Poll, index: str, candidates: Sequence[Candidate], now: datetime) -> Iterator[Decision]:
    """One notification per subscription, at once or deferred; they share the event of the episode."""
    key = dedupe_key(poll, index, "OPEN", state.details[index].episode)
    quiet = {it.id for it in candidates if is_quiet(state, it, now)}
    at_once = [it.id for it in candidates if it.id not in quiet]
    later = [it.id for it in candidates if it.id in quiet]
    if at_once:
        reason = f"section {index} is open; {len(at_once)} to be notified"
        yield FanOut(dedupe_key=key, subscriptions=at_once, is_deferred=False, reason=reason)
    if later:
        reason = f"section {index} is open; {len(later)} outside their window or snoozed"
        yield FanOut(dedupe_key=key, subscriptions=later, is_deferred=True, reason=reason)


def fan_out_course(state: State, poll: Poll, candidates: Sequence[Candidate], now: datetime) -> FanOutCourse:
    """One message to one subscription, which names all sections of its course that opened."""
    first, indexes = candidates[0], [it.index_number for it in candidates]
    is_deferred = is_quiet(state, first, now)
    when = "outside its window or snoozed" if is_deferred else "to be notified"
    return FanOutCourse(
        dedupe_keys=[dedupe_key(poll, index, "OPEN", state.details[index].episode) for index in indexes],
        subscription=first.id,
        is_deferred=is_deferred,
        reason=f"{', '.join(indexes)} of {first.course} open; {when}",
    )


def is_quiet(state: State, one: Candidate | Deferred, now: datetime) -> bool:
    """Whether a subscriber must not be disturbed now."""
    return quiet_reason(one.window, one.snooze_until, state.minute, now) is not None


def waiting_ones(state: State, poll: Poll, closing: frozenset[str], now: datetime) -> Iterator[Decision]:
    """What becomes of notifications that wait; those of one course go out as one."""
    keys: dict[int, str] = {}
    for waiting in state.deferred:
        decision = judge_deferred(state, poll, waiting, closing, now)
        if isinstance(decision, Release) and waiting.course:
            key = f"{waiting.dedupe_key}:{waiting.subscription_id}+{int(now.timestamp())}"
            decision = replace(decision, effect_key=keys.setdefault(waiting.subscription_id, key))
        if decision is not None:
            yield decision


def judge_deferred(
    state: State, poll: Poll, waiting: Deferred, closing: frozenset[str], now: datetime
) -> EndNotification | Release | None:
    """What waits goes out when its time comes and the section is still open; if it closed meanwhile, it is expired."""
    details = state.details[waiting.index_number]
    is_over = details.episode != waiting.episode or waiting.index_number in closing
    if is_over or waiting.status == "unsubscribed":
        reason = "the section closed meanwhile" if is_over else "unsubscribed meanwhile"
        return EndNotification(
            event_id=waiting.event_id, subscription_id=waiting.subscription_id, status="expired", reason=reason
        )
    is_ready = waiting.status in ELIGIBLE and is_listed(poll, waiting.index_number)
    if is_quiet(state, waiting, now) or not is_ready:
        return None
    first_key = f"{waiting.dedupe_key}:{waiting.subscription_id}"
    return Release(
        event_id=waiting.event_id,
        dedupe_key=waiting.dedupe_key,
        subscription_id=waiting.subscription_id,
        effect_key=f"{waiting.effect_key}+" if waiting.effect_key else first_key,
        reason="its time has come and the section is still open",
    )
