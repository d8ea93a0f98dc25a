"""How long a run is left alone between two polls."""

from __future__ import annotations

import zlib
from datetime import timedelta

from pollctl_shell_query.model import Job, Settings

_LARGEST_EXPONENT = 250  # 10 ** 250 seconds is still a number


def backoff_delay(first: timedelta, times: int, most: timedelta, settings: Settings) -> timedelta:
    """The pause *first*, lengthened so many *times*, at most *most*."""
    factor = min(settings.backoff ** min(times, _LARGEST_EXPONENT), most / first)
    return min(first * factor, most)


def jitter_factor(job: Job, settings: Settings) -> float:
    """A factor near 1 by which pauses differ from run to run and from poll to poll; computed, so that a replay decides alike."""
    chance = zlib.crc32(f"{job.id}:{job.poll_count}".encode()) / 2**32
    return 1 + settings.jitter * (2 * chance - 1)
