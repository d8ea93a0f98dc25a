"""The two axes of a drawing: round numbers upwards, round moments across."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import floor, log10
from typing import NamedTuple

from pollctl.console.moments import Moments

_STEPS = [timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 20_160)]
_ROUND = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
_MOST_TICKS = 8
_EDGE = 0.04


class Tick(NamedTuple):
    """A round moment: how far across it lies, from 0 to 1, what is written there, and which side of it the text takes."""

    part: float
    text: str
    anchor: str


def top_for(value: float) -> float:
    """The round number at the top of an axis that shows *value*."""
    if value <= 0:
        return 1.0
    power: float = 10 ** floor(log10(value))
    return next((factor * power for factor in _ROUND if factor * power >= value), 10 * power)


def ticks(start: datetime, end: datetime, moments: Moments) -> list[Tick]:
    """At most about eight round moments on the clocks of the reader."""
    length = end - start
    step = next((one for one in _STEPS if length / one <= _MOST_TICKS), _STEPS[-1])
    return [_tick(at, (at.astimezone(UTC) - start) / length, length) for at in _round(start, end, step, moments)]


def _round(start: datetime, end: datetime, step: timedelta, moments: Moments) -> Iterator[datetime]:
    at = moments.local(start).replace(hour=0, minute=0, second=0, microsecond=0)
    while start < end and at.astimezone(UTC) <= end:
        if at.astimezone(UTC) >= start:
            yield at
        at += step  # as a clock on the wall goes


def _tick(at: datetime, part: float, length: timedelta) -> Tick:
    anchor = "start" if part < _EDGE else "end" if part > 1 - _EDGE else "middle"
    if at.hour or at.minute:
        return Tick(part, f"{at:%H:%M}", anchor)
    return Tick(part, f"{at:%a}" if length <= timedelta(days=7) else f"{at.day} {at:%b}", anchor)
