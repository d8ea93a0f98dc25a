"""What becomes of an event, as a record of its check."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pollctl_toilet_gap.model import AddRecord, Check, Event, RecordName


class RecordKind(NamedTuple):
    """What an event is recorded as, with the reason."""

    name: RecordName
    reason: str


OBSERVED = RecordKind("EVENT_OBSERVED", "a visit: the next window begins with it")
LATE = RecordKind("EVENT_LATE", "a later visit came first, or the alarm went out: it moves nothing")
BEFORE_START = RecordKind("EVENT_OUTSIDE", "before A")
FROM_END_ON = RecordKind("EVENT_OUTSIDE", "from B on")
WAITED_TOO_LONG = RecordKind("EVENT_LATE", "it waited until the end of the check")


def record_of(check: Check, order: int, event: Event, kind: RecordKind) -> AddRecord:
    """The record of one event."""
    return AddRecord(
        check_id=check.id,
        order=order,
        name=kind.name,
        at=event.at,
        event_id=event.id,
        phase=check.phase,
        reason=kind.reason,
    )


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events by their time; those of one moment by their ids, so that the order is always the same."""
    return sorted(events, key=_by_time)


def _by_time(event: Event) -> tuple[datetime, str]:
    return event.at, event.id
