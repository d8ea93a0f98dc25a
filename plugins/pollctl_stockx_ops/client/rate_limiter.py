"""The rate of requests: evenly spaced within a pass, and kept from pass to pass and across crashes."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock

from pollctl import Run
from pollctl_stockx_ops.model import Pace

MARGIN = 1.05
"""How much further apart requests start than the rate asks: what an upstream counts are arrivals, and on their way two
requests may come closer to each other."""
RESERVE_S = 0.5
"""Seconds before the deadline in which nothing starts: it would hardly be answered."""
TICK_S = 0.05
_FIRST_TICK_S = 0.001
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RateLimiter:
    """Lets one request through at a time, each a whole interval after the one before; used by many threads.

    Time is the system's monotonic clock, which all processes share: no change of the time of day can let a request
    through too early. Where it is not known when the latest request of another pass started (a crash, a restart of the
    machine), it counts as just now: passes of one plugin never overlap, so it cannot have been later.

    The first request of a pass also loads code and opens a connection, and so arrives well after it started. The second
    waits for its answer and counts from there.

    Args:
        run: the pass.
        pace: what earlier passes left; None before the first.
    """

    def __init__(self, run: Run, pace: Pace | None) -> None:
        self._run = run
        self._interval: float = run.settings.interval * MARGIN
        self._boot_id = boot_id()
        self._lock = Lock()
        self._last_start = self._start_of(pace)
        self._is_first_sent = False
        self._is_first_answered = False
        self.is_closed = False

    def acquire(self) -> bool:
        """Wait until the next request may start, which then counts as started; False when none may any more."""
        with self._lock:
            while self._may_wait():
                wait_s = self._wait_s()
                is_held = self._is_first_sent and not self._is_first_answered
                if wait_s <= 0 and not is_held:
                    self._is_first_sent = True
                    self._last_start = time.monotonic()
                    return True
                time.sleep(_FIRST_TICK_S if is_held else min(wait_s, TICK_S))
            self.is_closed = True
            return False

    def release(self) -> None:
        """Note that a request that was let through has been answered, or never will be."""
        if not self._is_first_answered:
            self._last_start = time.monotonic()
            self._is_first_answered = True

    def close(self) -> None:
        """Let nothing more through in this pass: the upstream asked for a pause."""
        self.is_closed = True

    def unknown_pace(self) -> Pace:
        """What the next pass must assume if this one does not come to its end."""
        return Pace(boot_id=self._boot_id, last_start=None)

    def pace(self) -> Pace:
        """What the next pass must know, once no request is about to start."""
        last_start = time.monotonic() if self._last_start is None else self._last_start
        return Pace(boot_id=self._boot_id, last_start=last_start)

    def wait_until_idle(self) -> None:
        """Wait until another process might start a request; for a plan, which must not leave a trace."""
        while not self._run.is_stopping and (wait_s := self._wait_s()) > 0:
            time.sleep(min(wait_s, TICK_S))

    def _start_of(self, pace: Pace | None) -> float | None:
        if pace is None:
            return None
        now = time.monotonic()
        is_known = pace.last_start is not None and pace.boot_id == self._boot_id != ""
        return min(pace.last_start or now, now) if is_known else now

    def _wait_s(self) -> float:
        """Seconds until the next request may start."""
        return 0.0 if self._last_start is None else self._last_start + self._interval - time.monotonic()

    def _may_wait(self) -> bool:
        """Whether the next start comes before the pass must end."""
        is_over = self.is_closed or self._run.is_stopping
        return not is_over and max(0.0, self._wait_s()) < self._run.remaining - RESERVE_S


def boot_id() -> str:
    """What distinguishes this start of the machine from others; empty where it is unknown."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
