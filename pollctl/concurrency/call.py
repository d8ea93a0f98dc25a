"""One call, and who may make it beside the threads of the pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, Protocol

from pollctl import clock

Cut = Literal["timeout", "deadline", "stopped"]


class Call:
    """One call for one item: what it is given, how long it may take, and what became of it.

    Attributes:
        item: what the call is about.
        allowed: seconds that it may take.
        is_patient: whether a signal lets it run on until its limit, because cutting it off could do harm.
        started_at: when it began, as ``clock.now`` says.
        elapsed_ms: how long it took, or had taken when it was given up.
        value: what it returned.
        raised: what it raised.
        cut: why it was given up.
        on_cut: called in the consumer's thread when it is given up, to end its thread soon.
        is_elsewhere: whether no worker has it in hand.
        is_away: whether another machine has: its time limit is kept there.
        is_returned: whether nobody there can make it, so that it must be made here; see ``give_back``.
    """

    def __init__(self, item: Any, *, allowed: float, is_patient: bool) -> None:
        self.item = item
        self.allowed = allowed
        self.is_patient = is_patient
        self.begun = 0.0
        self.started_at: datetime | None = None
        self.elapsed_ms = 0.0
        self.value: Any = None
        self.raised: BaseException | None = None
        self.cut: Cut | None = None
        self.on_cut: Callable[[], None] | None = None
        self.is_elsewhere = False
        self.is_away = False
        self.is_returned = False
        self._claim = threading.Lock()

    def make(self, function: Callable[[Call], Any]) -> bool:
        """Make the call, in a worker thread; answers whether anyone still waits for its outcome."""
        try:
            self.begin()
            value, raised = function(self), None
        except BaseException as error:  # noqa: BLE001 - passed on with the result; a plugin's SystemExit must not end the thread
            value, raised = None, error
        return self.complete(value, raised)

    def begin(self) -> None:
        """Note that it begins now; ``make`` does so itself."""
        self.begun = time.monotonic()
        self.started_at = clock.now()

    def complete(self, value: Any, raised: BaseException | None = None) -> bool:
        """Note what became of it; answers whether anyone still waits for that."""
        elapsed_ms = (time.monotonic() - self.begun) * 1000
        if not self._claim.acquire(blocking=False):
            return False
        self.value, self.raised, self.elapsed_ms = value, raised, elapsed_ms
        return True

    def give_up(self, cut: Cut) -> bool:
        """Stop waiting for the outcome, in the consumer's thread; False when it has completed meanwhile."""
        if not self._claim.acquire(blocking=False):
            return False
        self.cut = cut
        self.started_at = self.started_at or clock.now()
        self.elapsed_ms = (time.monotonic() - self.begun) * 1000 if self.begun else 0.0
        if self.on_cut:
            self.on_cut()
        return True

    def give_back(self) -> bool:
        """Leave it to this machine, and to nobody until ``take_back``; False when it was given up meanwhile."""
        if not self._claim.acquire(blocking=False):
            return False
        self.is_returned = True
        return True

    def take_back(self) -> None:
        """Have what was given back wait until it begins here, in the consumer's thread."""
        self.begun, self.started_at = 0.0, None
        self._claim.release()


Elsewhere = Callable[[Call, Callable[[Call], None]], bool]
"""Begins a call without a thread of its own, and has it told when it is complete; False where it cannot."""


class Away(Protocol):
    """Other machines, which make some of the calls."""

    @property
    def room(self) -> int:
        """How many calls they may have in hand, those that wait for them among these."""

    def takes(self, item: Any) -> bool:
        """Whether an item is one for them."""

    def begin(self, call: Call, done: Callable[[Call], None], concurrency: int) -> None:
        """Have a call made there, beside as many others as *concurrency* says; *done* takes it: complete, given up, or returned."""
