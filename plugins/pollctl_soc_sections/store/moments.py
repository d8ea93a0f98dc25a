"""Moments in columns that may be empty."""

from __future__ import annotations

from datetime import datetime

from pollctl import from_text, to_text


def moment_or_none(text: str | None) -> datetime | None:
    """The moment in a column; None where it is NULL."""
    return from_text(text) if text else None


def text_or_none(moment: datetime | None) -> str | None:
    """What a column holds of a moment; NULL for None."""
    return to_text(moment) if moment else None
