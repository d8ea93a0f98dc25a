"""The rows that decide needs, as values: open checks with their windows, and the checks that messages may belong to.

Fields with a ``name`` have that one in recordings, which later versions must be able to read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from pollctl_toilet_gap.model.batch import Event
from pollctl_toilet_gap.model.settings import Terms

Phase = Literal["SETUP", "MONITORING", "COMPLETE"]
CheckResult = Literal["SUCCESS", "ALARM_RAISED", "ABANDONED", "FAILED"]
OpenedBy = Literal["start", "visit", "alarm"]


class UnreadEvent(Struct, frozen=True, kw_only=True):
    """An event of a robot that could not be read or must not be believed, and so may have been a visit.

    Attributes:
        at: when it happened, where that could be read.
    """

    reason: str
    received_at: datetime
    at: datetime | None = None

    def may_lie_in(self, since: datetime, until: datetime) -> bool:
        """Whether it may have happened in a window: nothing is received before it happens."""
        return since <= self.at <= until if self.at is not None else self.received_at > since


class Check(Struct, frozen=True, kw_only=True):
    """One open check with its window, as far as the rules look at it.

    Attributes:
        is_closing: whether its end was asked for by hand.
        since, until: the window that is watched; ``until`` is never after the end of the day.
        opened_by: what the window began with.
        unjudged: passes in a row that could not read the history.
        unjudged_since: the first of them.
        last_order: of its records.
        alarms: how many were raised.
        failed_subscription: one that could not be made, to be tried again; None if there is none.
        subscription_error: why it could not.
        pending: events that wait: of a window that is still to be judged, or of a moment still ahead.
        recorded: ids of events, among those of the batch, that have a record.
        quarantined: ids of events, among those of the batch, that are not to be believed.
        unread: what was received since the window began and could not be read.
    """

    id: int
    monitor: str
    robot_id: str
    local_date: str
    phase: Phase
    planned_at: datetime
    ends_at: datetime
    terms: Terms
    is_closing: bool
    since: datetime
    until: datetime
    opened_by: OpenedBy
    unjudged: int
    unjudged_since: datetime | None
    last_order: int
    alarms: int
    failed_subscription: int | None = field(name="unmade")
    subscription_error: str = field(name="trouble")
    pending: list[Event]
    recorded: list[str] = field(name="known")
    quarantined: list[str]
    unread: list[UnreadEvent] = []

    def has_within(self, event: Event) -> bool:
        """Whether an event happened in the day of the check: its start is in it, its end is not."""
        return self.planned_at <= event.at < self.ends_at


class Subscriber(Struct, frozen=True, kw_only=True):
    """A check that messages may belong to, open or over.

    Attributes:
        subscriptions: the ids of its own that the batch names.
        is_uncertain: whether it may have a subscription whose id was lost in a crash.
        seen: ids of events, among those of the batch, that have a record or wait for their fold.
        quarantined, last_order: as for ``Check``.
    """

    check_id: int
    robot_id: str
    event_name: str
    planned_at: datetime
    ends_at: datetime
    is_over: bool
    subscriptions: list[str]
    is_uncertain: bool
    last_order: int
    seen: list[str] = field(name="known")
    quarantined: list[str]


class State(Struct, frozen=True, kw_only=True):
    """The rows that one batch needs.

    Attributes:
        last_days: the latest date of each monitor that begins a day.
        known_letters: keys of dead letters, among those of the batch, that are there already.
    """

    last_days: dict[str, str] = {}
    checks: dict[int, Check] = {}
    subscribers: list[Subscriber] = field(default_factory=list, name="homes")
    known_letters: list[str] = []
