"""Wall-clock times turned into moments: the rules of time zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pollctl_toilet_gap.model import Day, Monitor, minutes_of

_ONE_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
MOST_MISSED = 366
"""Days without a pass that are looked for at once."""


def bounds(zone: ZoneInfo, day: date, start: str, end: str) -> tuple[datetime, datetime]:
    """Start and end of one local date, in UTC; an end at or before the start is meant on the next date.

    A time that does not exist is the first moment after the gap. Of a time that comes twice, the start is the first and the
    end the second.
    """
    last = day if minutes_of("end", end) > minutes_of("start", start) else day + _ONE_DAY
    return moment(zone, day, start, fold=0), moment(zone, last, end, fold=1)


def moment(zone: ZoneInfo, day: date, text: str, *, fold: int) -> datetime:
    """One wall-clock time in UTC; *fold* chooses among the two of an ambiguous one."""
    hours, minutes = divmod(minutes_of("time", text), 60)
    naive = datetime.combine(day, time(hours, minutes))
    first, second = (naive.replace(tzinfo=zone, fold=which).astimezone(UTC) for which in (0, 1))
    if first <= second:
        return second if fold else first
    return _end_of_gap(zone, second, first)


def _end_of_gap(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The moment between two at which the clocks went forward: zones change at whole seconds."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def day_of(monitor: Monitor, day: date) -> Day:
    """One day of a monitor."""
    starts_at, ends_at = bounds(monitor.timezone, day, monitor.start, monitor.end)
    return Day(monitor=monitor.name, local_date=day.isoformat(), starts_at=starts_at, ends_at=ends_at)


def day_at(monitor: Monitor, now: datetime) -> Day | None:
    """The day of a monitor that contains *now*: its start is in it, its end is not. A day over midnight began yesterday."""
    today = now.astimezone(monitor.timezone).date()
    days = (day_of(monitor, today - back * _ONE_DAY) for back in (0, 1))
    return next((day for day in days if day.starts_at <= now < day.ends_at), None)


def days_over(monitor: Monitor, last: str, now: datetime) -> Iterator[Day]:
    """The days of a monitor after the date *last* that are over by *now*, the oldest first; at most a year of them."""
    today = now.astimezone(monitor.timezone).date()
    first = max(date.fromisoformat(last) + _ONE_DAY, today - MOST_MISSED * _ONE_DAY)
    for number in range((today - first).days + 1):
        day = day_of(monitor, first + number * _ONE_DAY)
        if day.starts_at < day.ends_at <= now:
            yield day
