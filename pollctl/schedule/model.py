"""What goes into a judgement of due or not, and what comes out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

SEPARATOR = "|"
"""Between the expressions of a schedule that has several."""


class Timing(Struct, frozen=True, kw_only=True):
    """When a plugin shall be polled, as the settings say.

    Attributes:
        expression: cron expression, or several, see ``Schedule.parse``.
        timezone: IANA name of the zone in which it is meant.
        jitter: each slot is delayed by a value in [0, jitter) fixed by plugin, host and slot.
        catch_up: ``once``: missed slots fold into one pass; ``skip``: those older than
            *max_lateness* are let go.
        max_lateness: see *catch_up*; not less than zero.
        backoff: wait after a failed pass, doubled per further failure; zero: none.
        backoff_max: the longest such wait.
    """

    expression: str
    timezone: str
    jitter: timedelta
    catch_up: Literal["once", "skip"]
    max_lateness: timedelta
    backoff: timedelta
    backoff_max: timedelta


class Idle(Struct, frozen=True, kw_only=True):
    """What the last pass asked for: no pass before ``until``, said at ``since``, under settings that are still the same or not."""

    since: datetime
    until: datetime
    is_of_these_settings: bool = True


class Past(Struct, frozen=True, kw_only=True):
    """What is known of a plugin's passes: when the last started and ended (UTC), how many failed in a row, what it asked for."""

    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    consecutive_failures: int = 0
    idle: Idle | None = None


class Gate(Struct, frozen=True):
    """One gate between a slot and a pass, with a line that a person can read."""

    name: str
    passed: bool
    text: str


class Verdict(Struct, frozen=True, kw_only=True):
    """Due or not, and why.

    Attributes:
        is_due: whether every gate is passed.
        gates: in the order in which ``why`` shows them.
        slot: the slot that was looked at: of those that have come, jitter included, the last to come.
        slot_due_at: when it came, jitter included.
        next_due_at: the first moment from *now* on at which it is due if no pass starts; *now* if it is due.
        idle_until: before when the plugin itself wants no pass, if that lies ahead.
    """

    is_due: bool
    gates: tuple[Gate, ...]
    slot: datetime
    slot_due_at: datetime
    next_due_at: datetime
    idle_until: datetime | None = None
