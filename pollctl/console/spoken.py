"""Moments and lengths of time in messages, which are read elsewhere and later."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pollctl.console.words import age, count, number

counted = count
"""How many of something there are: ``1 check``, ``2 checks``, ``2 batches``."""

spoken_number = number
"""A number with as many places as it needs to be compared: ``1440``, ``129.5``, ``20.8``, ``0.12``."""


def spoken_moment(moment: datetime, zone: ZoneInfo, *, today: datetime | None = None) -> str:
    """A moment in a zone, with its name: ``2026-03-08 07:59:30 CET``, or ``2026-03-08 10:59 Asia/Dubai`` where it has no short one.

    Seconds stand where they are not 0. On the day of *today* it is the time alone, always with seconds: ``07:59:00 CET``.
    """
    local = moment.astimezone(zone)
    short = local.tzname() or ""
    shape = "%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M"
    if today is not None and today.astimezone(zone).date() == local.date():
        shape = "%H:%M:%S"
    return f"{local.strftime(shape)} {short if short.isalpha() else zone.key}"


def spoken_length(length: timedelta) -> str:
    """A length of time in its two largest units: ``3 d 4 h``, ``2 min``, ``12 s``."""
    return age(length.total_seconds())
