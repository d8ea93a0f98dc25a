"""Debian's cron, minute by minute: a slow daemon to measure the fast module against; shares nothing with it.

It keeps the rules of cron's main loop (``cron.c`` of Debian's cron 3.0pl1): a real clock that jumps with the zone, a
virtual clock that should be one minute behind, and what is done when the two are apart:

* 1 minute: run everything. 2 to 5 (woke up late): run everything for each minute missed.
* 6 to 180 (clock went forward): wildcard jobs for the present minute, fixed-time jobs for each minute missed, now.
* 0 down to -179 (clock went back): wildcard jobs only; the virtual clock stands until it is caught up.
* anything else: the time was set anew; the virtual clock follows, everything for the present minute.

A job is *wildcard* when its minute or hour begins with ``*``. Day and weekday must both match if one begins with ``*``,
otherwise either. Seconds, which cron does not know, fire within a present minute; a missed minute fires as one moment.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
_NAMES = {
    name: number
    for names, first in (("jan feb mar apr may jun jul aug sep oct nov dec", 1), ("sun mon tue wed thu fri sat", 0))
    for number, name in enumerate(names.split(), first)
}
_RANGES = {"second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}


class Job:
    """One line of a crontab."""

    def __init__(self, expression: str) -> None:
        texts = expression.lower().split()
        second, minute, hour, day, month, weekday = texts if len(texts) == 6 else ["0", *texts]
        self.seconds = sorted(_numbers(second, "second"))
        self.is_wildcard = minute.startswith("*") or hour.startswith("*")
        hours, minutes = _numbers(hour, "hour"), _numbers(minute, "minute")
        self.minutes_of_day = {h * 60 + m for h in hours for m in minutes}
        self._days, self._months = _numbers(day, "day"), _numbers(month, "month")
        self._weekdays = {n % 7 for n in _numbers(weekday, "weekday")}
        self._both = day.startswith("*") or weekday.startswith("*")
        self._known_days: dict[date, bool] = {}

    def names_day(self, day: date) -> bool:
        known = self._known_days.get(day)
        if known is None:
            known = self._known_days[day] = self._matches(day)
        return known

    def _matches(self, day: date) -> bool:
        matches = (day.day in self._days, day.isoweekday() % 7 in self._weekdays)
        return day.month in self._months and (all(matches) if self._both else any(matches))


class Look(NamedTuple):
    """One look at the crontab: when, which wall-clock minute it is read for, and whether that was missed."""

    now: datetime
    minute_of_day: int
    day: date
    is_missed: bool


def slots(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The moments (UTC) from *start* up to *end*, whole minutes both, at which the daemon starts the job; each once."""
    job = Job(expression)
    looks = _looks(zone, start, end, is_wildcard=job.is_wildcard)
    hits = [look for look in looks if look[1] in job.minutes_of_day and job.names_day(look[2])]
    return sorted({look.now + timedelta(seconds=s) for look in hits for s in ([0] if look.is_missed else job.seconds)})


@lru_cache(maxsize=8)
def _looks(zone: ZoneInfo, start: datetime, end: datetime, *, is_wildcard: bool) -> list[Look]:
    """What the daemon does for jobs of one kind, whatever they are."""
    virtual = _wall_minute(zone, start) - 1
    looks = []
    for now in (start + n * MINUTE for n in range((end - start) // MINUTE)):
        real = _wall_minute(zone, now)
        behind = real - virtual
        if -180 < behind <= 0:
            if is_wildcard:
                looks.append(_look(now, real, real))
            continue
        if 1 < behind <= 5 or (5 < behind <= 180 and not is_wildcard):
            looks += [_look(now, missed, real) for missed in range(virtual + 1, real)]
        looks.append(_look(now, real, real))
        virtual = real
    return looks


def _look(now: datetime, wall: int, real: int) -> Look:
    return Look(now, wall % 1440, date.fromordinal(wall // 1440), wall != real)


def _wall_minute(zone: ZoneInfo, now: datetime) -> int:
    """What a clock on the wall shows, in minutes since the year 1."""
    wall = now.astimezone(zone)
    return wall.toordinal() * 1440 + wall.hour * 60 + wall.minute


def changes(zone: ZoneInfo, first_year: int, last_year: int) -> list[datetime]:
    """The minutes (UTC) at which the offset of *zone* differs from that of the minute before."""
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return [
        next(m for m in (day + n * MINUTE for n in range(1441)) if m.astimezone(zone).utcoffset() != old)
        for day, old, new in zip(days, offsets, offsets[1:], strict=False)
        if old != new
    ]


def _numbers(text: str, field: str) -> set[int]:
    return {number for item in text.split(",") for number in _item(item, *_RANGES[field])}


def _item(item: str, low: int, high: int) -> range:
    span, _, step = item.partition("/")
    if span != "*":
        first, _, last = span.partition("-")
        low = _number(first)
        high = _number(last) if last else (high if step else low)
    return range(low, high + 1, int(step or 1))


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)
