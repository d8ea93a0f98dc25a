"""What a pass read from the queue and the event service: the batch, and what is in it.

Fields with a ``name`` have that one in recordings, which later versions must be able to read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

Source = Literal["queue", "history"]


class Event(Struct, frozen=True, gc=False):
    """One visit, by the upstream's id and its own time, in whole milliseconds."""

    id: str
    at: datetime


class Receipt(Struct, frozen=True, gc=False):
    """What one message can be deleted by, until it is received again."""

    message_id: str
    handle: str


class ParsedMessage(Struct, frozen=True, kw_only=True, gc=False):
    """One message that can be understood; *letter*: the dead letter that it was, which is in no queue any more."""

    receipt: Receipt
    subscription_id: str
    robot_id: str
    event_name: str
    event: Event
    body: str
    letter: int | None = None


class PoisonMessage(Struct, frozen=True, kw_only=True):
    """What cannot be understood, or must not be believed.

    Attributes:
        source: where it came from.
        key: the same each time that it comes again.
        receipt: of the message; None if it stood in a history.
        subscription_id: whose it may be, where that could be read.
        event_id, event_name, at: where that could be read.
    """

    source: Source
    key: str
    reason: str
    body: str
    receipt: Receipt | None = None
    subscription_id: str | None = None
    robot_id: str | None = None
    event_id: str | None = None
    event_name: str | None = None
    at: datetime | None = None


class Letter(Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept: its ``body`` may be cut."""

    id: int
    source: Source
    key: str
    robot_id: str | None
    event_name: str | None
    body: str


class Day(Struct, frozen=True, kw_only=True):
    """One day of one monitor: the date of its start in its zone; start and end in UTC."""

    monitor: str
    local_date: str
    starts_at: datetime
    ends_at: datetime


class DueCheck(Struct, frozen=True, kw_only=True):
    """One open check that is to be judged; ``ends_at`` is its end by the settings of today."""

    check_id: int
    ends_at: datetime


class History(Struct, frozen=True, kw_only=True):
    """What the event service remembers of one robot from ``since`` on.

    Attributes:
        error: why it could not be read; nothing if it could.
        was_asked: whether the event service had its chance; not when the pass ended before.
    """

    check_id: int
    since: datetime
    events: list[Event] = []
    poison: list[PoisonMessage] = []
    error: str = field(default="", name="trouble")
    was_asked: bool = True


class UndeliveredAlarm(Struct, frozen=True, kw_only=True):
    """An alarm that did not go out although it was tried several times."""

    reference_id: str
    check_id: int
    robot_id: str
    attempts: int
    error: str = field(name="trouble")


class LastHeard(Struct, frozen=True, kw_only=True):
    """When a robot was last heard of with any event.

    Attributes:
        at: that moment; None if there was none since ``since``, or it is not known.
        error: why it is not known; nothing if it is.
    """

    check_id: int
    since: datetime
    at: datetime | None = None
    error: str = ""


class Expired(Struct, frozen=True, kw_only=True):
    """What is older than the settings keep: checks that ended, by their ids, and dead letters before a moment."""

    checks: list[int] = []
    letters_before: datetime | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """What one step of a pass read.

    Attributes:
        days: that contain now and have no check yet.
        missed: that went by without a pass.
        due: checks to be judged.
        undelivered: alarms about which no one was notified yet.
        is_drained: whether the queue was read in this pass until nothing was left in it.
        has_judged: whether the pass could judge another monitor, so that it is not ``failed`` for those here.
        unread_queue: why the queue was not read to its end; nothing if it was.
        heard: when robots were last heard of whose alarm may come.
        unreplayed: dead letters that were put back and still cannot be read, by their ids.
        expired: what is to be deleted.
    """

    days: list[Day] = []
    missed: list[Day] = []
    messages: list[ParsedMessage] = field(default_factory=list, name="letters")
    poison: list[PoisonMessage] = []
    due: list[DueCheck] = field(default_factory=list, name="turns")
    histories: list[History] = []
    undelivered: list[UndeliveredAlarm] = field(default_factory=list, name="unposted")
    is_drained: bool = False
    has_judged: bool = False
    unread_queue: str = ""
    heard: list[LastHeard] = []
    unreplayed: list[int] = []
    expired: Expired | None = None
