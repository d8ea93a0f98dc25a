"""What decide can answer: each kind of decision, with its reason.

A tag that is not the name of its class is the one that recordings and plans know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pollctl_toilet_gap.model.batch import Day, Event, Expired, LastHeard, PoisonMessage, Receipt, UndeliveredAlarm
from pollctl_toilet_gap.model.settings import Terms
from pollctl_toilet_gap.model.state import CheckResult, OpenedBy, Phase

RecordName = Literal[
    "STARTED",
    "SUBSCRIBED",
    "EVENT_OBSERVED",
    "EVENT_LATE",
    "EVENT_OUTSIDE",
    "ALARM_SENT",
    "CONFIG_CHANGED",
    "ENDED",
]
COUNTED = {
    "EVENT_OBSERVED": "observed",
    "EVENT_LATE": "late",
    "EVENT_OUTSIDE": "outside",
    "ALARM_SENT": "alarms",
}
"""Kinds of records that a pass counts, and the names of these numbers."""


class StartCheck(Struct, frozen=True, kw_only=True, tag=True):
    """A day begins: one check, its first window, and the intent to subscribe."""

    day: Day
    robot_id: str
    terms: Terms
    since: datetime
    until: datetime
    is_late: bool
    reason: str


class MissDay(Struct, frozen=True, kw_only=True, tag=True):
    """A whole day went by without a pass."""

    day: Day
    reason: str


class KeepEvent(Struct, frozen=True, kw_only=True, tag=True):
    """An event from the queue is kept for the fold of its check."""

    check_id: int
    event: Event
    reason: str


class DeadLetter(Struct, frozen=True, kw_only=True, tag="Bury"):
    """Something goes to the dead letters, for a person to look at.

    Attributes:
        is_watched: whether it may be a visit of a watched robot that cannot be read: then the pass says so.
    """

    poison: PoisonMessage
    is_watched: bool = False
    reason: str


class ClearMessages(Struct, frozen=True, kw_only=True, tag=True):
    """Messages are done with: they go from the queue once this is committed."""

    receipts: list[Receipt]
    foreign: int
    duplicates: int
    reason: str


class AddRecord(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """One record of what happened in a check."""

    check_id: int
    order: int
    name: RecordName
    at: datetime
    phase: Phase
    reason: str
    event_id: str | None = None
    result: str | None = None


class RaiseAlarm(Struct, frozen=True, kw_only=True, tag=True):
    """A whole gap passed without a visit.

    Attributes:
        unread: what could not be read meanwhile, so that a visit may be in it.
        last_heard: when the robot was last heard of with any event; None if nobody asked.
    """

    check_id: int
    order: int
    robot_id: str
    since: datetime
    until: datetime
    reference_id: str
    event_name: str
    level: int
    reason: str
    unread: list[str] = []
    last_heard: LastHeard | None = None


class Replay(Struct, frozen=True, kw_only=True, tag=True):
    """Dead letters that were put back: those that reached their check, and those that still belong nowhere."""

    letters: list[int]
    failed: list[int]
    at: datetime
    reason: str


class Expire(Struct, frozen=True, kw_only=True, tag=True):
    """What is older than the settings keep is deleted; its numbers stay in the metrics."""

    expired: Expired
    reason: str


class KeepWindow(Struct, frozen=True, kw_only=True, tag=True):
    """What a check watches from now on."""

    check_id: int
    since: datetime
    until: datetime
    opened_by: OpenedBy
    unjudged: int
    unjudged_since: datetime | None
    reason: str


class NotifyBlind(Struct, frozen=True, kw_only=True, tag="TellBlind"):
    """People are notified that a monitor could not be judged for several passes."""

    check_id: int
    monitor: str
    since: datetime
    reason: str


class NotifyUndelivered(Struct, frozen=True, kw_only=True, tag="TellUnposted"):
    """People are notified of an alarm that the event service does not take."""

    alarm: UndeliveredAlarm
    reason: str


class ChangeTerms(Struct, frozen=True, kw_only=True, tag=True):
    """The settings changed in the middle of a day; with ``renews`` the subscription must end at another time."""

    check_id: int
    terms: Terms
    ends_at: datetime
    renews: bool
    reason: str


class Resubscribe(Struct, frozen=True, kw_only=True, tag=True):
    """A subscription that could not be made is tried again."""

    check_id: int
    subscription: int
    reason: str


class EndCheck(Struct, frozen=True, kw_only=True, tag=True):
    """A check is over."""

    check_id: int
    result: CheckResult
    reason: str


Decision = (
    StartCheck
    | MissDay
    | KeepEvent
    | DeadLetter
    | ClearMessages
    | AddRecord
    | RaiseAlarm
    | Replay
    | Expire
    | KeepWindow
    | NotifyBlind
    | NotifyUndelivered
    | ChangeTerms
    | Resubscribe
    | EndCheck
)
