"""How long an upstream asks to be left alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pollctl.api.values import Answer

LONGEST = timedelta(days=1)
_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_STATUSES = (429, 503)


def retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """What the ``Retry-After`` of a 429 or 503 asks for, clamped to 0..24 h; None when it cannot be read.

    Seconds (RFC 9110 §10.2.3), also negative or with a fraction, and dates are read.
    """
    text = answer.headers.get("retry-after", "").strip()
    if answer.status not in _STATUSES or not text:
        return None
    if _SECONDS.fullmatch(text):
        seconds = min(float(text), LONGEST.total_seconds())
        return max(timedelta(seconds=seconds) if seconds > 0 else timedelta(), timedelta())
    moment = _date(text)
    return None if moment is None else min(max(moment - now, timedelta()), LONGEST)


def _date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
