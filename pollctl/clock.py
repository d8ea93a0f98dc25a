"""The one place where the time of day is read.

``POLLCTL_NOW=2026-03-08T06:59:00Z`` stops the clock there; ``POLLCTL_NOW=@2026-03-08T06:59:00Z`` starts it there and
lets it run; ``-2h`` and ``@-2h`` count from the present. Deadlines use the monotonic clock and never this one.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta

from pollctl.errors import UsageError

VARIABLE = "POLLCTL_NOW"
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Schedules, waits and retention count up to a century ahead; the tables of plugins end with 2299 (``pollctl.sql.utc``)."""
_started = time.monotonic()
_started_at = datetime.now(UTC)
_DISTANCE = re.compile(r"([+-])(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LOOSE = re.compile(r"(\S+?)[T ](\S+?) ?(Z|[+-]\d\d(?::?\d\d)?)", re.ASCII | re.IGNORECASE)


def now() -> datetime:
    """The present moment in UTC, cut to whole milliseconds (what the database keeps).

    Raises:
        UsageError: ``POLLCTL_NOW`` is not a valid moment, or the clock stands before 2020 or in 2200 or later.
    """
    moment = reading()
    if moment < EARLIEST:
        raise UsageError(f"the clock says {to_text(moment)}, before 2020: set it before anything is polled")
    if moment >= LATEST:
        raise UsageError(f"the clock says {to_text(moment)}, after 2199: set it before anything is polled")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def reading() -> datetime:
    """What the clock shows, however wrong that is.

    Raises:
        UsageError: ``POLLCTL_NOW`` is not a valid moment.
    """
    return _rehearsed(os.environ.get(VARIABLE, "")) or datetime.now(UTC)


def begin_again() -> None:
    """Let a clock that was started by ``@`` start now: this process is a copy of one that began earlier."""
    global _started, _started_at
    _started, _started_at = time.monotonic(), datetime.now(UTC)


def is_waiting(until: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether a wait that may take *longest* goes on at *now*.

    One that would end farther ahead than it may take was begun while the clock ran ahead, by an hour or by years: it counts
    as over. Whatever waits for a moment that was written earlier asks here.
    """
    return timedelta() < until - now <= longest


def is_stopped() -> bool:
    """Whether ``POLLCTL_NOW`` holds the clock still, so that waiting for a moment would never end."""
    return os.environ.get(VARIABLE, "").strip()[:1] not in ("", "@")


def environ_of_child() -> dict[str, str]:
    """The environment for a process that is started: a rehearsed clock goes on there, it does not start again."""
    environ = dict(os.environ)
    if environ.get(VARIABLE, "").strip():
        environ[VARIABLE] = f"{'' if is_stopped() else '@'}{to_text(reading())}"
    return environ


def to_text(moment: datetime) -> str:
    """A moment as the database keeps it: UTC, ``YYYY-MM-DDTHH:MM:SS.mmmZ``, so that it sorts as text.

    Raises:
        ValueError: it names no zone, so that nobody knows when it is.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no zone; say datetime(..., tzinfo=UTC), or read it with pollctl.from_text")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def from_text(text: str) -> datetime:
    """A moment from ISO 8601 text with a zone, in UTC.

    Raises:
        ValueError: the text is not a valid moment, or names no zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        is_other = str(error).startswith("Invalid isoformat")
        why = "is not a moment such as 2026-03-08T06:59:00Z" if is_other else f"never was: {error}"
        raise ValueError(f"{text!r} {why}") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no zone: add Z for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies outside the calendar") from error


def from_person(text: str, now: datetime) -> datetime:
    """A moment as people write it, in UTC: ISO 8601 in any of its forms, with a zone, or a distance such as ``-2h``.

    Raises:
        ValueError: the text is neither, or names no zone.
    """
    text = text.strip()
    if distance := _DISTANCE.fullmatch(text):
        sign, number, unit = distance.groups()
        try:
            return now + timedelta(seconds=float(f"{sign}{number}") * _SECONDS[unit])
        except OverflowError as error:
            raise ValueError(f"{text!r} is too far away") from error
    if loose := _LOOSE.fullmatch(text):
        day, at, zone = loose.groups()
        is_midnight = at[:2] == "24" and not at[2:].strip("0:.,")  # the end of the day, in ISO's own words
        moment = from_text(f"{day}T{'00:00' if is_midnight else at}{zone.upper()}")
        return moment + timedelta(days=1) if is_midnight else moment
    return from_text(text)


def _rehearsed(text: str) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    running = timedelta(seconds=time.monotonic() - _started) if text.startswith("@") else timedelta()
    try:
        return from_person(text.removeprefix("@"), _started_at) + running
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{VARIABLE}={text!r} is not a valid moment; write 2026-03-08T06:59:00Z or -2h (stopped), "
            "or @2026-03-08T06:59:00Z (running)"
        ) from error
