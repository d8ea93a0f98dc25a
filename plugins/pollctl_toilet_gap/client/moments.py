"""Moments as upstreams write them: ISO 8601 with a zone in any of its forms, Unix seconds or milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pollctl import from_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)
_LEAST_MS = 100_000_000_000
"""From here on a number is milliseconds: as seconds it would lie in the year 5138, as milliseconds in 1973."""
_NUMBER = re.compile(r"[0-9]{9,14}(?:\.[0-9]+)?")
_ISO = re.compile(r"(?P<day>[0-9-]+)[Tt ](?P<time>[0-9:.,]+) ?(?P<zone>[Zz]|[+-][0-9:]+)")
_MORE_THAN_MICROSECONDS = re.compile(r"([.,][0-9]{6})[0-9]+")


def read_moment(value: Any) -> datetime:
    """A moment, cut to whole milliseconds.

    Raises:
        ValueError: it is not one, names no zone, or lies outside the years 2000 to 2299.
    """
    at = _from_number(float(value)) if _is_number(value) else _from_iso(str(value))
    if not _FIRST <= at < _LAST:
        raise ValueError(f"{value!r} is not in the years 2000 to 2299")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _from_number(number: float) -> datetime:
    seconds = number / 1000 if abs(number) >= _LEAST_MS else number
    try:
        return _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{number} lies outside the calendar") from error


def _from_iso(text: str) -> datetime:
    if found := _ISO.fullmatch(text.strip()):
        text = f"{found['day']}T{found['time']}{found['zone'].upper()}"
    return from_text(_MORE_THAN_MICROSECONDS.sub(r"\1", text))
