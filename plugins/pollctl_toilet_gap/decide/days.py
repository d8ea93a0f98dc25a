"""Which days begin, and from when on they are watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl import to_text
from pollctl_toilet_gap.model import Batch, Day, Decision, MissDay, Settings, StartCheck, State


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """A check for each day that contains now, one per monitor and date; days that were not watched are only noted."""
    for day in batch.missed:
        if day.local_date > state.last_days.get(day.monitor, ""):
            yield MissDay(day=day, reason=f"no pass from {to_text(day.starts_at)} to {to_text(day.ends_at)}")
    for day in batch.days:
        if day.local_date > state.last_days.get(day.monitor, "") and day.starts_at <= now < day.ends_at:
            yield start_check(day, now, settings)


def start_check(day: Day, now: datetime, settings: Settings) -> StartCheck:
    """The first pass of a day: it is watched from its start, or from now when no pass came within the tolerance."""
    monitor = settings.by_name[day.monitor]
    is_late = now - day.starts_at > settings.start_tolerance
    since = now if is_late else day.starts_at
    return StartCheck(
        day=day,
        robot_id=monitor.robot_id,
        terms=monitor.terms,
        since=since,
        until=min(since + monitor.terms.gap, day.ends_at),
        is_late=is_late,
        reason="the first pass came late: watched from now on" if is_late else "the day begins",
    )


def observed_from(since: datetime, planned_at: datetime, now: datetime, tolerance: timedelta) -> datetime:
    """Where the first window of a check begins that is subscribed now: no alarm for a time that was not watched."""
    return since if now - planned_at <= tolerance else max(since, now)
