"""What a pass brought from the queue and the event service: the batch, and what is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Source = Literal["queue", "history"]


class Event(Struct, frozen=True, gc=False):
    """One visit, by the upstream's id and its own time, in whole milliseconds."""

    id: str
    at: datetime


class Receipt(Struct, frozen=True, gc=False):
    """What one message can be deleted by, until it is received again."""

    message_id: str
    handle: str


class Letter(Struct, frozen=True, kw_only=True, gc=False):
    """One message that can be understood."""

    receipt: Receipt
    subscription_id: str
    robot_id: str
    event_name: str
    event: Event
    body: str


class Poison(Struct, frozen=True, kw_only=True):
    """What cannot be understood, or must not be believed.

    Attributes:
        source: where it came from.
        key: the same each time that it comes again.
        receipt: of the message; None if it stood in a history.
        subscription_id: whose it may be, where that could be read.
        event_id: where that could be read.
    """

    source: Source
    key: str
    reason: str
    body: str
    receipt: Receipt | None = None
    subscription_id: str | None = None
    robot_id: str | None = None
    event_id: str | None = None


class Day(Struct, frozen=True, kw_only=True):
    """One day of one monitor: the date of A in its zone, A and B in UTC."""

    monitor: str
    local_date: str
    starts_at: datetime
    ends_at: datetime


class Turn(Struct, frozen=True, kw_only=True):
    """One open check that is to be folded; ``ends_at`` is B by the settings of today."""

    check_id: int
    ends_at: datetime


class History(Struct, frozen=True, kw_only=True):
    """What the event service remembers of one robot from ``since`` on.

    Attributes:
        trouble: why it could not be read; nothing if it could.
        was_asked: whether the event service had its chance; not when the pass ended before.
    """

    check_id: int
    since: datetime
    events: list[Event] = []
    poison: list[Poison] = []
    trouble: str = ""
    was_asked: bool = True


class Unposted(Struct, frozen=True, kw_only=True):
    """An alarm that did not go out although it was tried several times."""

    reference_id: str
    check_id: int
    robot_id: str
    attempts: int
    trouble: str


class Batch(Struct, frozen=True, kw_only=True):
    """What one step of a pass brought.

    Attributes:
        days: that contain now and have no check yet.
        missed: that went by without a pass.
        unposted: alarms of which nobody was told yet.
        is_drained: whether the queue was read in this pass until nothing was left in it.
        has_judged: whether the pass could judge another monitor, so that it is not ``failed`` for those here.
    """

    days: list[Day] = []
    missed: list[Day] = []
    letters: list[Letter] = []
    poison: list[Poison] = []
    turns: list[Turn] = []
    histories: list[History] = []
    unposted: list[Unposted] = []
    is_drained: bool = False
    has_judged: bool = False
