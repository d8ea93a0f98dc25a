"""Who is notified of an open section, now or later, and what becomes of notifications that wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from pollctl_soc_sections.decide.events import dedupe_key, open_event
from pollctl_soc_sections.model import (
    ELIGIBLE,
    Candidate,
    Decision,
    Deferred,
    EndNotification,
    FanOut,
    Poll,
    Release,
    State,
    quiet_reason,
)


def notifications(state: State, poll: Poll, closing: frozenset[str], now: datetime) -> Iterator[Decision]:
    """Fan out to subscriptions that were not notified of this episode, and look after notifications that wait."""
    candidates = [candidate for candidate in state.candidates if is_to_be_notified(state, poll, candidate)]
    for index, grouped in groupby(sorted(candidates, key=by_section), key=lambda candidate: candidate.index_number):
        yield from fan_out(state, poll, index, list(grouped), now)
    for waiting in state.deferred:
        yield from judge_deferred(state, poll, waiting, closing, now)


def by_section(candidate: Candidate) -> tuple[str, int]:
    """The order of the fan-out."""
    return candidate.index_number, candidate.id


def is_to_be_notified(state: State, poll: Poll, candidate: Candidate) -> bool:
    """Whether this answer shows the section open, and the subscriber wants a notification even if it was open before."""
    if not is_listed(poll, candidate.index_number):
        return False
    if candidate.index_number in state.closed or not candidate.unless_open:
        return True
    return candidate.opened_at is not None and candidate.opened_at > candidate.created_at


def is_listed(poll: Poll, index: str) -> bool:
    """Whether an answer holds an open section; one that is the same as last time holds all of them."""
    return poll.is_same or index in poll.listed


def fan_out(state: State, poll: Poll, index: str, candidates: Sequence[Candidate], now: datetime) -> Iterator[Decision]:
    """One notification per subscription, at once or deferred; they share the event of the episode."""
    if index not in state.closed and not any(candidate.has_event for candidate in candidates):
        yield open_event(state, poll, index, "UNKNOWN", now)
    key = dedupe_key(poll, index, "OPEN", state.details[index].episode)
    quiet = {it.id for it in candidates if quiet_reason(it.window, it.snooze_until, state.minute, now) is not None}
    at_once = [it.id for it in candidates if it.id not in quiet]
    later = [it.id for it in candidates if it.id in quiet]
    if at_once:
        reason = f"section {index} is open; {len(at_once)} to be notified"
        yield FanOut(dedupe_key=key, subscriptions=at_once, is_deferred=False, reason=reason)
    if later:
        reason = f"section {index} is open; {len(later)} outside their window or snoozed"
        yield FanOut(dedupe_key=key, subscriptions=later, is_deferred=True, reason=reason)


def judge_deferred(
    state: State, poll: Poll, waiting: Deferred, closing: frozenset[str], now: datetime
) -> Iterator[Decision]:
    """What waits goes out when its time comes and the section is still open; if it closed meanwhile, it is expired."""
    details = state.details[waiting.index_number]
    is_over = details.episode != waiting.episode or waiting.index_number in closing
    if is_over or waiting.status == "unsubscribed":
        reason = "the section closed meanwhile" if is_over else "unsubscribed meanwhile"
        yield EndNotification(
            event_id=waiting.event_id, subscription_id=waiting.subscription_id, status="expired", reason=reason
        )
        return
    is_quiet = quiet_reason(waiting.window, waiting.snooze_until, state.minute, now) is not None
    if is_quiet or waiting.status not in ELIGIBLE or not is_listed(poll, waiting.index_number):
        return
    first_key = f"{waiting.dedupe_key}:{waiting.subscription_id}"
    yield Release(
        event_id=waiting.event_id,
        dedupe_key=waiting.dedupe_key,
        subscription_id=waiting.subscription_id,
        effect_key=f"{waiting.effect_key}+" if waiting.effect_key else first_key,
        reason="its time has come and the section is still open",
    )
