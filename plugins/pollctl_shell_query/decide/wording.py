"""Durations in the words of messages and reasons."""

from __future__ import annotations

from datetime import timedelta


def in_words(duration: timedelta) -> str:
    """A duration in words: ``29 minutes``, ``90 seconds``, ``1 hour``."""
    number, unit = duration.total_seconds(), "second"
    for name, size in (("hour", 3600), ("minute", 60)):
        if number >= size and number % size == 0:
            number, unit = number / size, name
            break
    return f"{number:g} {unit}{'' if number == 1 else 's'}"
