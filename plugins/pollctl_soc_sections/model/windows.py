"""When a subscriber may be notified: windows of the day, and snoozes."""

from __future__ import annotations

import re
from datetime import datetime

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


def read_window(text: str) -> tuple[int, int]:
    """First and last minute of the day of a window such as ``08:00-22:00``; it may wrap midnight.

    Raises:
        ValueError: it is not one.
    """
    if match := _WINDOW.fullmatch(text):
        return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    raise ValueError(f"{text!r} is not a valid window; write 08:00-22:00")


def is_within(window: str | None, minute: int) -> bool:
    """Whether a minute of the day lies in a window, both ends included; without one always."""
    if window is None:
        return True
    first, last = read_window(window)
    return first <= minute <= last if first <= last else minute >= first or minute <= last


def quiet_reason(window: str | None, snooze_until: datetime | None, minute: int, now: datetime) -> str | None:
    """Why a subscriber must not be disturbed now; None when nothing is in the way."""
    if snooze_until is not None and now < snooze_until:
        return "snoozed"
    return None if is_within(window, minute) else f"outside {window}"
