"""When a pass must end: its deadline, and a signal that asks for it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta


class Stop:
    """Says to everything in a pass when to end; one per process.

    Attributes:
        deadline: the moment of ``time.monotonic`` past which nothing starts and what is in flight is cut.
        requested: whether a signal asked for the end.
    """

    def __init__(self, deadline: float = float("inf")) -> None:
        self.deadline = deadline
        self.requested = False
        # A bare lock, because its release is safe in a signal handler; those of Event and Condition are not.
        self._gate = threading.Lock()
        self._gate.acquire()

    def end_in(self, allowed: timedelta | float) -> None:
        """Set the deadline, from now; plain numbers are seconds."""
        seconds = allowed.total_seconds() if isinstance(allowed, timedelta) else allowed
        self.deadline = time.monotonic() + seconds

    def request(self) -> None:
        """Ask for the end: waits return at once, nothing new starts. Safe in a signal handler, and twice."""
        self.requested = True
        self._open()

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the deadline; answers whether the pass must end."""
        allowed = min(max(0.0, seconds), self.remaining, threading.TIMEOUT_MAX)
        if self._gate.acquire(timeout=allowed):
            self._open()  # for the others that wait
        return self.is_stopping

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never below 0; infinite without one."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def is_past_deadline(self) -> bool:
        """Whether the deadline has come."""
        return time.monotonic() >= self.deadline

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new may start."""
        return self.requested or self.is_past_deadline

    def _open(self) -> None:
        with suppress(RuntimeError):  # it is open already
            self._gate.release()
