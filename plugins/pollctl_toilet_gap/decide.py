"""The rules: the fold of events into windows, and how a check ends. Pure; no I/O, no clock. See also days.py, messages.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from pollctl import to_text
from pollctl_toilet_gap.model import (
    AddRecord,
    Batch,
    Bury,
    ChangeTerms,
    Check,
    CheckResult,
    Decision,
    EndCheck,
    Event,
    History,
    KeepWindow,
    RaiseAlarm,
    RecordName,
    Resubscribe,
    Settings,
    State,
    TellBlind,
    Terms,
    Turn,
    quarantine,
    reference_id,
)

ABANDON_AFTER = timedelta(hours=1)
"""How long after its end a check without a history is waited for."""
TELL_AFTER = 3
"""Passes in a row without a history before people are told."""
_MS = timedelta(milliseconds=1)
"""The smallest difference between two moments: all of them are whole milliseconds."""
_OBSERVED: tuple[RecordName, str] = ("EVENT_OBSERVED", "a visit: the next window begins with it")
_LATE: tuple[RecordName, str] = ("EVENT_LATE", "a later visit came first, or the alarm went out: it moves nothing")

_BEFORE_A: tuple[RecordName, str] = ("EVENT_OUTSIDE", "before A")
_FROM_B: tuple[RecordName, str] = ("EVENT_OUTSIDE", "from B on")


class Given(NamedTuple):
    """What holds for all checks of a batch: the moment, the settings, and how far the pass could see."""

    now: datetime
    settings: Settings
    is_drained: bool = False
    has_judged: bool = False


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What becomes of the open checks of one batch."""
    decisions: list[Decision] = []
    given = Given(now, settings, batch.is_drained, batch.has_judged)
    histories = {history.check_id: history for history in batch.histories}
    for turn in batch.turns:
        check = state.checks.get(turn.check_id)
        if check is not None:
            decisions += judge(check, turn, histories.get(check.id), given).decisions
    return decisions


# the fold


class Folded(NamedTuple):
    """Where a fold ended: the check with its window then, what it decided, how many visits it used.

    Attributes:
        is_blocked: whether a window is over that may only be judged with the history.
    """

    check: Check
    decisions: list[Decision]
    used: int
    is_blocked: bool


def fold(check: Check, visits: Sequence[Event], now: datetime, *, is_checked: bool) -> Folded:
    """Interleave the visits, in the order of their times, with the ends of the windows, and stop at now.

    A window is over at its ``until``, its verdict comes ``grace`` later. A visit after it waits for that verdict.

    Args:
        check: with the window to begin with.
        visits: within the day, none ahead of now, without duplicates, sorted by time and id.
        now: the moment of the pass.
        is_checked: whether what is known was held against the history, without which no alarm is raised.
    """
    gap, judged_until = check.terms.gap, now - check.terms.grace
    since, opened_by = check.since, check.opened_by
    order, used, alarms = check.last_order, 0, check.alarms
    decisions: list[Decision] = []
    for visit in [*visits, None]:
        limit = check.ends_at if visit is None else visit.at - _MS  # a visit at exactly `until` counts
        while (until := since + gap) <= limit and until <= judged_until and is_checked:
            order, alarms = order + 1, alarms + 1
            decisions.append(raise_alarm(check, order, since, until))
            since, opened_by = until, "alarm"
        if until <= limit or visit is None:
            break
        order, used = order + 1, used + 1
        is_late = visit.at < since or (visit.at == since and opened_by == "alarm")
        decisions.append(record_of(check, order, visit, *(_LATE if is_late else _OBSERVED)))
        if not is_late:
            since, opened_by = visit.at, "visit"
    is_blocked = until <= min(limit, judged_until)
    until = max(since, min(until, check.ends_at))
    after = replace(check, since=since, until=until, opened_by=opened_by, last_order=order, alarms=alarms)
    return Folded(after, decisions, used, is_blocked)


def raise_alarm(check: Check, order: int, since: datetime, until: datetime) -> RaiseAlarm:
    """A whole gap without a visit; the next window begins where this one ended, whenever the pass came."""
    return RaiseAlarm(
        check_id=check.id,
        order=order,
        robot_id=check.robot_id,
        since=since,
        until=until,
        reference_id=reference_id(check.id, since),
        event_name=check.terms.alarm,
        level=check.terms.level,
        reason=f"no {check.terms.event} from {to_text(since)} to {to_text(until)}",
    )


def record_of(check: Check, order: int, event: Event, name: RecordName, reason: str) -> AddRecord:
    """What became of one event."""
    return AddRecord(
        check_id=check.id, order=order, name=name, at=event.at, event_id=event.id, phase=check.phase, reason=reason
    )


# checks


class Verdict(NamedTuple):
    """What becomes of one check; *is_blocked*: not more, because the history is needed."""

    decisions: list[Decision]
    is_blocked: bool = False


def needs_history(check: Check, turn: Turn, now: datetime, settings: Settings) -> bool:
    """Whether an alarm would come: then the history is read first."""
    return judge(check, turn, None, Given(now, settings)).is_blocked


def judge(check: Check, turn: Turn, history: History | None, given: Given) -> Verdict:
    """What becomes of one open check, given what is known of it now: fold up to now, then see whether it ends."""
    if check.phase == "SETUP":
        return Verdict(set_up(check, given))
    begun, now = check, given.now
    events, decisions = gather(check, history, given)
    check, outside = set_outside(check)
    decisions += outside
    visits = [event for event in events if check.has_within(event) and event.at <= now]
    is_checked = is_covered(check, history, given)
    folded = fold(check, visits, now, is_checked=is_checked)
    decisions += folded.decisions
    terms = new_terms(folded, turn, given)
    if terms is not None:
        decisions += change(folded.check, terms, turn.ends_at, now)
        visits = [event for event in visits[folded.used :] if event.at < turn.ends_at]
        folded = fold(changed(folded.check, terms, turn.ends_at), visits, now, is_checked=is_checked)
        decisions += folded.decisions
    ending = ended(folded, given) or abandoned(folded, history, given)
    if ending is None:
        decisions += go_on(begun, folded, history, given)
    else:
        folded_ids = {decision.event_id for decision in decisions if isinstance(decision, AddRecord)}
        left = [event for event in check.pending if event.id not in folded_ids]
        decisions += end(folded.check, ending, left, now)
    return Verdict(decisions, folded.is_blocked)


def gather(check: Check, history: History | None, given: Given) -> tuple[list[Event], list[Decision]]:
    """What is not folded yet, from queue and history, each event once, by time; and what is not to be believed."""
    seen = {*check.known, *check.quarantined}
    events = {event.id: event for event in check.pending}
    decisions: list[Decision] = []
    for event in sorted(history.events, key=_by_time) if history else ():
        if event.id in seen or event.id in events:
            continue
        if event.at > given.now + given.settings.future_skew:
            seen.add(event.id)
            decisions.append(quarantine(event, check.robot_id, "history", "", given.now))
            continue
        events[event.id] = event
    decisions += [Bury(poison=poison, reason=poison.reason) for poison in (history.poison if history else ())]
    return sorted(events.values(), key=_by_time), decisions


def set_outside(check: Check) -> tuple[Check, list[Decision]]:
    """Events from the queue before A move nothing; those from B on wait until the check ends, since B may still change."""
    outside = sorted((event for event in check.pending if event.at < check.planned_at), key=_by_time)
    records: list[Decision] = [
        record_of(check, order, event, *_BEFORE_A) for order, event in enumerate(outside, start=check.last_order + 1)
    ]
    return replace(check, last_order=check.last_order + len(records)), records


def is_covered(check: Check, history: History | None, given: Given) -> bool:
    """Whether what is known of a check was held against the history; or, if that is allowed, the whole queue was read."""
    if history is not None and not history.trouble and history.since <= check.since:
        return True
    return not given.settings.replay_required and given.is_drained


def set_up(check: Check, given: Given) -> list[Decision]:
    """A check without a subscription: nobody observes yet, so nothing is judged."""
    if given.now >= check.ends_at:
        ending = Ending("FAILED", check.ends_at, "never subscribed until the end of the day")
        return end(check, ending, check.pending, given.now)
    if why := why_early(check, given):
        return end(check, Ending("FAILED", given.now, f"never subscribed, and {why}"), check.pending, given.now)
    if check.unmade is None:
        return []
    after = looked_at(check, given.now, is_judged=False)
    retried = Resubscribe(check_id=check.id, subscription=check.unmade, reason=f"not subscribed: {check.trouble}")
    return [keep_window(after), *tell_blind(after, f"could not subscribe: {check.trouble}", given), retried]


def new_terms(folded: Folded, turn: Turn, given: Given) -> Terms | None:
    """The terms of a check whose settings changed; None if they did not, or what is over must be judged first."""
    check, monitor = folded.check, given.settings.by_name.get(folded.check.monitor)
    if monitor is None or folded.is_blocked or ended(folded, given):
        return None
    terms = check.terms.updated(monitor.terms)
    return None if (terms, turn.ends_at) == (check.terms, check.ends_at) else terms


def change(check: Check, terms: Terms, ends_at: datetime, now: datetime) -> list[Decision]:
    """B, gap, grace, level and alarm hold at once; a new B needs a subscription until then."""
    told = differences(check, terms, ends_at)
    renews = ends_at != check.ends_at and ends_at > now
    return [
        ChangeTerms(check_id=check.id, terms=terms, ends_at=ends_at, renews=renews, reason=told),
        AddRecord(
            check_id=check.id,
            order=check.last_order + 1,
            name="CONFIG_CHANGED",
            at=now,
            phase=check.phase,
            result=told,
            reason="the settings changed",
        ),
    ]


def differences(check: Check, terms: Terms, ends_at: datetime) -> str:
    """What changed, in words."""
    before, after = check.terms, terms
    compared = (
        ("gap", before.gap, after.gap),
        ("B", to_text(check.ends_at), to_text(ends_at)),
        ("end", before.end, after.end),
        ("grace", before.grace, after.grace),
        ("level", before.level, after.level),
        ("alarm", before.alarm, after.alarm),
    )
    return ", ".join(f"{name} {old} -> {new}" for name, old, new in compared if old != new)


def changed(check: Check, terms: Terms, ends_at: datetime) -> Check:
    """A check after ``change``."""
    return replace(check, terms=terms, ends_at=ends_at, last_order=check.last_order + 1)


# how a check stands after the fold


class Ending(NamedTuple):
    """How a check ends, and the moment that it was watched until."""

    result: CheckResult
    at: datetime
    reason: str


def ended(folded: Folded, given: Given) -> Ending | None:
    """The end of a check of which everything is folded: by its alarms, and never before B."""
    check = folded.check
    if folded.is_blocked:
        return None
    result: CheckResult = "ALARM_RAISED" if check.alarms else "SUCCESS"
    if given.now >= check.ends_at + check.terms.grace:
        return Ending(result, check.ends_at, "the day is over")
    if why := why_early(check, given):
        return Ending(result, given.now, why)
    return None


def why_early(check: Check, given: Given) -> str:
    """Why a check ends before its day does; nothing if it goes on."""
    if check.is_closing:
        return "it was closed by hand"
    return "" if check.monitor in given.settings.by_name else "its monitor is gone from the settings"


def abandoned(folded: Folded, history: History | None, given: Given) -> Ending | None:
    """The end of a check that could not be folded until long after B, although the event service was asked."""
    check = folded.check
    if not folded.is_blocked or given.now < check.ends_at + check.terms.grace + ABANDON_AFTER:
        return None
    if history is None or not history.was_asked:
        return None
    return Ending("ABANDONED", given.now, f"it could not be judged: {history.trouble}")


def end(check: Check, ending: Ending, left: Sequence[Event], now: datetime) -> list[Decision]:
    """A check is over; what still waited comes too late, or was never in its day."""
    records: list[Decision] = [
        record_of(check, order, event, *waited(check, event))
        for order, event in enumerate(sorted(left, key=_by_time), start=check.last_order + 1)
    ]
    last = AddRecord(
        check_id=check.id,
        order=check.last_order + len(records) + 1,
        name="ENDED",
        at=min(ending.at, now),
        phase="COMPLETE",
        result=ending.result,
        reason=ending.reason,
    )
    return [*records, last, EndCheck(check_id=check.id, result=ending.result, reason=ending.reason)]


def waited(check: Check, event: Event) -> tuple[RecordName, str]:
    """What becomes of an event that waited until its check ended."""
    if event.at < check.planned_at:
        return _BEFORE_A
    return _FROM_B if event.at >= check.ends_at else ("EVENT_LATE", "it waited until the end of the check")


def go_on(begun: Check, folded: Folded, history: History | None, given: Given) -> Iterator[Decision]:
    """The window that is watched from now on, and whether somebody must hear that it cannot be judged."""
    trouble = history.trouble if history else ""
    after = looked_at(folded.check, given.now, is_judged=not (trouble or folded.is_blocked))
    if _window(after) != _window(begun):
        yield keep_window(after)
    yield from tell_blind(after, f"could not read its history: {trouble}", given)
    if after.unmade is not None:
        told = f"not subscribed until the new end: {after.trouble}"
        yield Resubscribe(check_id=after.id, subscription=after.unmade, reason=told)


def looked_at(check: Check, now: datetime, *, is_judged: bool) -> Check:
    """A check with one more pass that could not judge it, or with none any more."""
    if is_judged:
        return replace(check, unjudged=0, unjudged_since=None)
    return replace(check, unjudged=check.unjudged + 1, unjudged_since=check.unjudged_since or now)


def keep_window(check: Check) -> KeepWindow:
    """The window of a check as it is to be kept."""
    told = f"watched from {to_text(check.since)} to {to_text(check.until)}"
    return KeepWindow(
        check_id=check.id,
        since=check.since,
        until=check.until,
        opened_by=check.opened_by,
        unjudged=check.unjudged,
        unjudged_since=check.unjudged_since,
        reason=f"{told}, not judged" if check.unjudged else told,
    )


def tell_blind(check: Check, what: str, given: Given) -> Iterator[TellBlind]:
    """Word of a check that passes in a row could not judge; when they could judge nobody, pollctl itself gives it."""
    if check.unjudged_since is not None and check.unjudged >= TELL_AFTER and given.has_judged:
        told = f"{check.unjudged} passes in a row {what}"
        yield TellBlind(check_id=check.id, monitor=check.monitor, since=check.unjudged_since, reason=told)


def _window(check: Check) -> tuple[object, ...]:
    return check.since, check.until, check.opened_by, check.unjudged, check.unjudged_since


def _by_time(event: Event) -> tuple[datetime, str]:
    return event.at, event.id
