"""How a check ends: by its alarms when its day is over, early, or without a judgement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pollctl_toilet_gap.decide.context import Context
from pollctl_toilet_gap.decide.fold import Folded
from pollctl_toilet_gap.decide.records import (
    BEFORE_START,
    FROM_END_ON,
    WAITED_TOO_LONG,
    RecordKind,
    in_order,
    record_of,
)
from pollctl_toilet_gap.model import AddRecord, Check, CheckResult, Decision, EndCheck, Event, History

ABANDON_AFTER = timedelta(hours=1)
"""How long after its end a check without a history is waited for."""


class Ending(NamedTuple):
    """How a check ends, and the moment that it was watched until."""

    result: CheckResult
    at: datetime
    reason: str


def ended(folded: Folded, context: Context) -> Ending | None:
    """The end of a check of which everything is folded: by its alarms, and never before its day does."""
    check = folded.check
    if folded.is_blocked:
        return None
    result: CheckResult = "ALARM_RAISED" if check.alarms else "SUCCESS"
    if context.now >= check.ends_at + check.terms.grace:
        return Ending(result, check.ends_at, "the day is over")
    if why := why_early(check, context):
        return Ending(result, context.now, why)
    return None


def why_early(check: Check, context: Context) -> str:
    """Why a check ends before its day does; nothing if it goes on."""
    if check.is_closing:
        return "it was closed by hand"
    return "" if check.monitor in context.settings.by_name else "its monitor is gone from the settings"


def abandoned(folded: Folded, history: History | None, context: Context) -> Ending | None:
    """The end of a check that could not be folded until long after its day, although the event service was asked."""
    check = folded.check
    if not folded.is_blocked or context.now < check.ends_at + check.terms.grace + ABANDON_AFTER:
        return None
    if history is None or not history.was_asked:
        return None
    return Ending("ABANDONED", context.now, f"it could not be judged: {history.error}")


def end(check: Check, ending: Ending, left: Sequence[Event], now: datetime) -> list[Decision]:
    """A check is over; what still waited comes too late, or was never in its day."""
    records: list[Decision] = [
        record_of(check, order, event, kind_of_waiting(check, event))
        for order, event in enumerate(in_order(left), start=check.last_order + 1)
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


def kind_of_waiting(check: Check, event: Event) -> RecordKind:
    """What becomes of an event that waited until its check ended."""
    if event.at < check.planned_at:
        return BEFORE_START
    return FROM_END_ON if event.at >= check.ends_at else WAITED_TOO_LONG
