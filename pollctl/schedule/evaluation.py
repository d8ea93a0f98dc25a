"""Whether a plugin is due, why, and when next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from pollctl.clock import is_waiting
from pollctl.schedule.jitter import Arrivals
from pollctl.schedule.model import Gate, Past, Timing, Verdict
from pollctl.schedule.slots import Schedule

CORRECTION = timedelta(minutes=5)
"""As far as a clock that runs ahead may be set back without a slot running twice."""


class Case:
    """What is known when one plugin is judged; every question names its moment."""

    def __init__(self, timing: Timing, past: Past, spread: str) -> None:
        self.timing = timing
        self.past = past
        self.schedule = _schedule(timing.expression, timing.timezone, spread)
        self.arrivals = Arrivals(self.schedule, timing.jitter, spread)

    def last_start(self, moment: datetime) -> datetime | None:
        """The last start; one that lies in the future is ignored, the clock was stepped back."""
        started = self.past.last_started_at
        return started if started and started <= moment else None

    def backed_off_until(self, moment: datetime) -> datetime | None:
        """The end of a backoff that is in force; none is when the last pass ended in the future."""
        until, finished = backoff_until(self.timing, self.past), self.past.last_finished_at
        return until if until and finished and is_waiting(until, moment, until - finished) else None

    def idle_until(self, moment: datetime) -> datetime | None:
        """Before when the plugin wants no pass, if that is in force; it is not when it was asked for in the future."""
        idle = self.past.idle
        if idle is None or not idle.is_of_these_settings or moment < idle.since:
            return None
        return idle.until if moment < idle.until else None

    def blocked_until(self, moment: datetime) -> datetime | None:
        """The end of what keeps a slot from being served."""
        return max(filter(None, (self.backed_off_until(moment), self.idle_until(moment))), default=None)

    def is_unserved(self, moment: datetime) -> bool:
        """Whether no pass has started since the last slot came.

        A start in the future counts when it lies within a correction of the clock, or before the next slot: a clock that is
        stepped back a little runs no slot twice, and one that was wrong for a while keeps nothing from running.
        """
        started = self.past.last_started_at
        if started is None or started < self.arrivals.latest(moment)[1]:
            return True
        return started - moment > CORRECTION and started >= self.arrivals.after(moment)

    def is_in_time(self, moment: datetime) -> bool:
        """Whether the last slot is still worth a pass; a plugin that never ran always is."""
        if self.timing.catch_up == "once" or self.last_start(moment) is None:
            return True
        return moment - self.arrivals.latest(moment)[1] <= self.timing.max_lateness

    def next_due(self, moment: datetime) -> datetime:
        """The first moment from *moment* on at which every gate is passed."""
        until = self.blocked_until(moment)
        if until:
            return self.next_due(until)
        if self.is_unserved(moment) and self.is_in_time(moment):
            return moment
        return self.next_due(self.arrivals.after(moment))


def judge(timing: Timing, past: Past, now: datetime, *, plugin: str, host: str) -> Verdict:
    """Whether *plugin* is due on *host* at *now*, through which gates, and when next.

    It is due when a slot (jitter included) has come and no pass has started since, that slot is not too old,
    no backoff is in force, and the plugin itself has not asked for a later moment. With the same *past* the answer is
    "not due" for every moment from *now* up to
    ``next_due_at``, and "due" at it.

    Raises:
        ValueError: the expression is not a valid schedule.
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    case = Case(timing, past, f"{plugin}@{host}")
    slot, due_at = case.arrivals.latest(now)
    gates = (
        _slot_gate(case, slot),
        _last_start_gate(case, now),
        _jitter_gate(case, slot, due_at),
        _backoff_gate(case, now),
        _idle_gate(case, now),
        _catch_up_gate(case, now, due_at),
    )
    return Verdict(
        is_due=all(gate.passed for gate in gates),
        gates=gates,
        slot=slot,
        slot_due_at=due_at,
        next_due_at=case.next_due(now.astimezone(UTC)),
        idle_until=case.idle_until(now),
    )


def backoff_until(timing: Timing, past: Past) -> datetime | None:
    """When the wait after failed passes ends: doubled per consecutive failure, from the end of the last."""
    if not timing.backoff or not past.consecutive_failures or past.last_finished_at is None:
        return None
    # 2**1000 days is more than any limit, and a float still holds it
    wait_s = timing.backoff.total_seconds() * 2.0 ** min(past.consecutive_failures - 1, 1000)
    return past.last_finished_at + timedelta(seconds=min(wait_s, timing.backoff_max.total_seconds()))


@lru_cache(maxsize=64)
def _schedule(expression: str, timezone: str, spread: str) -> Schedule:
    return Schedule.parse(expression, ZoneInfo(timezone), spread=spread)


def _slot_gate(case: Case, slot: datetime) -> Gate:
    local = f"{slot.astimezone(case.schedule.zone):%Y-%m-%d %H:%M:%S} {case.timing.timezone}"
    when = _utc(slot) if case.timing.timezone == "UTC" else f"{local}, {_utc(slot)}"
    return Gate("slot", True, f"latest slot of {case.timing.expression!r} is {when}")


def _last_start_gate(case: Case, now: datetime) -> Gate:
    started = case.past.last_started_at
    if started is None:
        return Gate("last start", True, "never ran: due at once")
    is_unserved = case.is_unserved(now)
    if started > now:
        what = "is ignored" if is_unserved else "counts"
        why = f"{_utc(started)} lies in the future and {what}: the clock was stepped back"
        return Gate("last start", is_unserved, why)
    if is_unserved:
        return Gate("last start", True, f"{_utc(started)}, before the slot came")
    return Gate("last start", False, f"{_utc(started)}, and no slot has come since")


def _jitter_gate(case: Case, slot: datetime, due_at: datetime) -> Gate:
    if not case.timing.jitter:
        return Gate("jitter", True, "none")
    return Gate("jitter", True, f"delays the slot by {(due_at - slot).total_seconds():.3f} s to {_utc(due_at)}")


def _backoff_gate(case: Case, now: datetime) -> Gate:
    until = backoff_until(case.timing, case.past)
    if until is None:
        return Gate("backoff", True, "none")
    failed = f"{case.past.consecutive_failures} failed in a row"
    if case.backed_off_until(now):
        return Gate("backoff", False, f"{failed}: not before {_utc(until)}")
    if now < until:
        return Gate("backoff", True, f"{failed}, but the last pass ended in the future: ignored")
    return Gate("backoff", True, f"{failed}; the wait ended at {_utc(until)}")


def _idle_gate(case: Case, now: datetime) -> Gate:
    idle = case.past.idle
    if idle is None:
        return Gate("idle", True, "no")
    asked = f"its last pass has nothing to do before {_utc(idle.until)}"
    if case.idle_until(now):
        return Gate("idle", False, asked)
    if not idle.is_of_these_settings:
        return Gate("idle", True, f"{asked}, but the settings have changed since")
    if now < idle.since:
        return Gate("idle", True, f"{asked}, but said so in the future: ignored")
    return Gate("idle", True, f"{asked}, which has come")


def _catch_up_gate(case: Case, now: datetime, due_at: datetime) -> Gate:
    if case.timing.catch_up == "once":
        return Gate("catch-up", True, "once: missed slots fold into one pass")
    late = f"the slot is {(now - due_at).total_seconds():.0f} s old"
    limit = f"{case.timing.max_lateness.total_seconds():.0f} s"
    if not case.is_in_time(now):
        return Gate("catch-up", False, f"skip: {late}, older than {limit}, and is let go")
    if case.last_start(now) is None:
        return Gate("catch-up", True, "skip: the first pass is never too late")
    return Gate("catch-up", True, f"skip: {late}; up to {limit} is made up for")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
