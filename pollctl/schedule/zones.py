"""Where the clock of a zone is changed, as stretches of time with one offset from UTC."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_S = 86_400
SECOND = timedelta(seconds=1)


class Stretch(NamedTuple):
    """Time from *start* up to *end* (UTC) in which a zone keeps one *offset*; *before* is the one before it."""

    start: datetime
    end: datetime
    before: timedelta
    offset: timedelta


def offset_at(zone: ZoneInfo, moment: datetime) -> timedelta:
    """How far the wall clocks of *zone* are ahead of UTC."""
    return moment.astimezone(zone).utcoffset() or timedelta()


@lru_cache(maxsize=128)
def stretches(zone: ZoneInfo, year: int) -> tuple[Stretch, ...]:
    """The stretches that a UTC year falls into; the turn of the year ends one even if no clock is changed.

    zoneinfo does not tell where a zone's changes are, so each day is probed: none changes forth and
    back in a day.
    """
    start, end = (datetime(y, 1, 1, tzinfo=UTC) for y in (year, year + 1))
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    offsets = [offset_at(zone, day) for day in days]
    changes = [_change(zone, day, old) for day, (old, new) in zip(days, pairwise(offsets), strict=False) if old != new]
    return tuple(
        Stretch(first, last, offset_at(zone, first - SECOND), offset_at(zone, first))
        for first, last in pairwise([start, *changes, end])
        if first < last
    )


def _change(zone: ZoneInfo, day: datetime, old: timedelta) -> datetime:
    seconds = range(DAY_S)
    return day + timedelta(
        seconds=bisect_left(seconds, True, key=lambda s: offset_at(zone, day + timedelta(seconds=s)) != old)
    )
