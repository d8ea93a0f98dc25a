"""The fold: visits interleaved with the ends of windows, in the order of their times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from pollctl import to_text
from pollctl_toilet_gap.decide.records import LATE, OBSERVED, record_of
from pollctl_toilet_gap.model import Check, Decision, Event, RaiseAlarm

_MS = timedelta(milliseconds=1)
"""The smallest difference between two moments: all of them are whole milliseconds."""


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

    A window is over at its ``until`` and judged ``grace`` later. A visit after it waits until then.

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
        decisions.append(record_of(check, order, visit, LATE if is_late else OBSERVED))
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


def reference_id(check_id: int, since: datetime) -> str:
    """The name of one window's alarm upstream: check id, then ``since`` in UTC with milliseconds."""
    return f"{check_id}-{to_text(since)}"
