"""How fast things may start: evenly spaced, per host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class RateLimiter:
    """Starts evenly spaced per key (a host), without bursts.

    Args:
        rate: ``"1/s"``, ``"30/m"``, ``"100/h"``, or ``""`` for as fast as may be.
        key: what an item is counted under.
        next_starts: moments of ``time.monotonic`` by key before which nothing starts; share it to share the rate.

    Raises:
        ValueError: the rate is not a valid rate.
    """

    def __init__(self, rate: str, key: Callable[[Any], str], next_starts: dict[str, float] | None = None) -> None:
        self.interval = _interval(rate)
        self._key = key
        self._next_starts = {} if next_starts is None else next_starts

    def delay(self, item: Any, now: float) -> float:
        """Seconds until the item may start; when they are 0, this counts as its start."""
        if not self.interval:
            return 0.0
        key = self._key(item)
        due = self._next_starts.get(key, now)
        if due > now:
            return due - now
        self._next_starts[key] = now + self.interval
        return 0.0


def _interval(rate: str) -> float:
    """Seconds between two starts."""
    if not rate:
        return 0.0
    count, _, unit = rate.partition("/")
    seconds = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(unit.strip())
    if seconds is None or not count.strip().isdecimal() or int(count) == 0:
        raise ValueError(f'{rate!r} is not a valid rate; write "1/s", "30/m" or "100/h"')
    return seconds / int(count)
