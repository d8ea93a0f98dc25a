"""Debian's cron, minute by minute: a slow daemon to measure the fast module against; shares nothing with it.

It keeps the rules of cron's main loop (``cron.c`` of Debian's cron 3.0pl1): a real clock that jumps with the zone, a virtual
clock that should be one minute behind, and what is done when the two are apart:

* 1 minute: run everything. 2 to 5 (woke up late): run everything for each minute missed.
* 6 to 180 (clock went forward): wildcard jobs for the present minute, fixed-time jobs for each minute missed, now.
* 0 down to -179 (clock went back): wildcard jobs only; the virtual clock stands until it is caught up.
* anything else: the time was set anew; the virtual clock follows, everything for the present minute.

A job is *wildcard* when its minute or hour begins with ``*``. Day and weekday must both match if one begins with ``*``,
otherwise either. Seconds, which cron does not know, fire within a present minute; a missed minute fires as one moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
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


def slots(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The moments (UTC) from *start* up to *end*, whole minutes both, at which the daemon starts the job; each once."""
    job, found = Job(expression), set()
    for now, wall, seconds in _runs(job, _clock(zone, start, end)):
        if wall % 1440 in job.minutes_of_day and job.names_day(date.fromordinal(wall // 1440)):
            found.update(now + timedelta(seconds=second) for second in seconds)
    return sorted(found)


def _runs(job: Job, clock: tuple[tuple[datetime, int], ...]) -> Iterator[tuple[datetime, int, list[int]]]:
    """Each look at the crontab: the moment, the wall-clock minute it is read for, the seconds at which it fires."""
    virtual = clock[0][1] - 1
    for now, real in clock:
        behind = real - virtual
        if 1 <= behind <= 5:
            yield from ((now, missed, [0]) for missed in range(virtual + 1, real))
            yield now, real, job.seconds
        elif 5 < behind <= 180:
            if job.is_wildcard:
                yield now, real, job.seconds
            else:
                yield from ((now, missed, [0]) for missed in range(virtual + 1, real))
                yield now, real, job.seconds
        elif -180 < behind <= 0:
            if job.is_wildcard:
                yield now, real, job.seconds
            continue
        else:
            yield now, real, job.seconds
        virtual = real


@lru_cache(maxsize=4)
def _clock(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[tuple[datetime, int], ...]:
    """Each minute from *start* to *end* and what a clock on the wall shows then, in minutes since the year 1."""
    count = (end - start) // MINUTE
    return tuple((now, _wall_minute(now.astimezone(zone))) for now in (start + n * MINUTE for n in range(count)))


def _wall_minute(wall: datetime) -> int:
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
