"""Calls made side by side in daemon threads, each with a time limit that holds whatever the call does.

What ``fanout`` and ``http`` have in common. The thread that consumes the results also watches the limits: a call that
overruns is given up (its thread ends when it can and never keeps the process from exiting) and another thread takes its
place. Items are taken from their iterable in the consumer's thread, so that a generator over a database works.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from pollctl.concurrency.call import Away, Call, Cut, Elsewhere
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.rate_limit import RateLimiter
from pollctl.concurrency.threads import start_daemon
from pollctl.errors import MachineError

TICK = 0.05  # seconds between two looks at the limits: what a limit may be overrun by


def make_all(
    function: Callable[[Call], Any],
    calls: Iterable[Call | None],
    *,
    concurrency: int,
    stop: Stop,
    limiter: RateLimiter,
    elsewhere: Elsewhere | None = None,
    away: Away | None = None,
) -> Iterator[Call]:
    """Make the calls side by side and yield each one when it has completed or was given up.

    Past the deadline, or when a signal came, no further call is taken from *calls*; each that was taken is yielded. With
    *elsewhere*, only the calls that it does not begin are made in threads; with *away*, only those that it does not take are made
    here at all. None among *calls* says that there is none now; it is asked for another soon.
    """
    pool = _WorkerPool(function, concurrency, stop, limiter, elsewhere, away)
    try:
        yield from pool.go(iter(calls))
    finally:
        pool.shutdown()


class _WorkerPool:
    """The workers of one ``make_all``, and what they have in hand."""

    def __init__(
        self,
        function: Callable[[Call], Any],
        concurrency: int,
        stop: Stop,
        limiter: RateLimiter,
        elsewhere: Elsewhere | None,
        away: Away | None,
    ) -> None:
        self._function = function
        self._elsewhere = elsewhere
        self._away = away
        self._concurrency = max(1, concurrency)
        # A few calls wait ready for the next free worker; with a rate, a call is handed out when it may start.
        self._room = (
            self._concurrency if limiter.interval or elsewhere else self._concurrency + min(self._concurrency, 16)
        )
        self._stop = stop
        self._limiter = limiter
        self._inbox: SimpleQueue[Call | None] = SimpleQueue()
        self._completed: SimpleQueue[Call] = SimpleQueue()
        self._in_flight: set[Call] = set()
        self._workers = 0
        self._waiting: Call | None = None  # taken, but too early for the rate, or without room yet
        self._returned: deque[Call] = deque()
        self._are_away = 0
        self._is_exhausted = False
        self._next_look = 0.0

    def go(self, calls: Iterator[Call | None]) -> Iterator[Call]:
        delay = TICK
        while True:
            if self._away or len(self._in_flight) <= self._concurrency:
                delay = self._hand_out(calls)
            if self._is_idle and (self._is_exhausted or self._stop.is_stopping):
                return
            if call := self._next_completed(min(TICK, delay)):
                yield call
            if time.monotonic() >= self._next_look or self._stop.requested:
                yield from self._look()

    def shutdown(self) -> None:
        """Give up what is in hand and let the workers go."""
        self._recall()
        for call in self._in_flight:
            call.give_up("stopped")
        for _ in range(self._workers):
            self._inbox.put(None)

    def _hand_out(self, calls: Iterator[Call | None]) -> float:
        """Give calls to workers while there is room; answers the seconds until the next may start."""
        while (self._away or self._has_room) and not self._stop.is_stopping:
            call = self._waiting or self._take(calls)
            if call is None:
                break
            self._waiting = call
            if delay := self._limiter.delay(call.item, time.monotonic()):
                return delay
            if self._away and not call.is_returned and self._away.takes(call.item):
                if self._are_away >= self._away.room:
                    break
                self._send_away(call, self._away)
            elif self._has_room:
                self._begin(call)
            else:
                break
            self._waiting = None
            self._in_flight.add(call)
        return TICK

    @property
    def _is_idle(self) -> bool:
        return not self._in_flight and self._waiting is None and not self._returned

    @property
    def _has_room(self) -> bool:
        return len(self._in_flight) - self._are_away < self._room

    def _begin(self, call: Call) -> None:
        call.is_elsewhere = self._elsewhere is not None and self._elsewhere(call, self._completed.put)
        if not call.is_elsewhere:
            if self._workers < min(self._concurrency, len(self._in_flight) + 1):
                self._hire()
            self._inbox.put(call)

    def _send_away(self, call: Call, away: Away) -> None:
        call.begin()
        call.is_elsewhere = call.is_away = True
        self._are_away += 1
        away.begin(call, self._completed.put, self._concurrency)

    def _take(self, calls: Iterator[Call | None]) -> Call | None:
        if self._returned:
            return self._returned.popleft()
        if not self._is_exhausted:
            for call in calls:
                return call
            self._is_exhausted = True
        return None

    def _next_completed(self, patience: float) -> Call | None:
        try:
            call = self._completed.get(timeout=min(patience, self._stop.remaining))
        except Empty:
            return None
        is_back = call.is_away and call.is_returned
        self._let_go(call)
        if not is_back:
            return call
        call.take_back()
        self._returned.append(call)
        return None

    def _let_go(self, call: Call) -> None:
        self._in_flight.remove(call)
        if call.is_away:
            self._are_away -= 1
            call.is_away = False

    def _look(self) -> Iterator[Call]:
        """Yield what must be given up: past its own limit, past the deadline, or because a signal came."""
        if self._stop.is_stopping:
            yield from self._recalled()
        now = time.monotonic()
        self._next_look = now + TICK
        for call in [call for call in self._in_flight if call.begun]:
            cut = self._why_cut(call, now)
            if cut and call.give_up(cut):
                self._let_go(call)
                self._workers -= not call.is_elsewhere  # it is left to itself, and may hang
                yield call
                if not call.is_elsewhere:
                    self._hire()

    def _why_cut(self, call: Call, now: float) -> Cut | None:
        if now >= call.begun + call.allowed and not call.is_away:
            return "timeout"
        if now >= self._stop.deadline:
            return "deadline"
        return "stopped" if self._stop.requested and not call.is_patient else None

    def _recalled(self) -> Iterator[Call]:
        why: Cut = "stopped" if self._stop.requested else "deadline"
        for call in self._recall():
            call.give_up(why)
            self._in_flight.discard(call)
            yield call

    def _recall(self) -> list[Call]:
        """Take back what no worker has begun; taken out of the inbox, it cannot begin any more."""
        recalled = [*self._returned, *([self._waiting] if self._waiting else [])]
        self._returned.clear()
        self._waiting = None
        with suppress(Empty):
            while True:
                call = self._inbox.get_nowait()
                if call is not None:
                    recalled.append(call)
        return recalled

    def _hire(self) -> None:
        """Start one more worker; where the machine has no thread for it, those that there are must do.

        Raises:
            MachineError: there is none.
        """
        try:
            start_daemon(_work, self._function, self._inbox, self._completed, name="pollctl-call")
        except MachineError:
            if not self._workers:
                raise
        else:
            self._workers += 1


def _work(function: Callable[[Call], Any], inbox: SimpleQueue[Call | None], completed: SimpleQueue[Call]) -> None:
    while (call := inbox.get()) is not None and call.make(function):
        completed.put(call)
