"""Workers of Dask, which make the GETs and HEADs of a pass: a thread of its own speaks with them, the pass waits for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pollctl.concurrency.threads import start_daemon
from pollctl.console import log
from pollctl.fanout.eligibility import may_go
from pollctl.fanout.errands import Errands
from pollctl.fanout.workers import Workers
from pollctl.urls import is_loopback

if TYPE_CHECKING:
    from pollctl.api.values import Request
    from pollctl.concurrency.call import Call
    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.schema import Fanout
    from pollctl.errors import FanoutError
    from pollctl.http.limits import Limits

_LONGEST_GOODBYE_S = 1.5


class Engine:
    """Makes calls of one pass on workers, of which each has a chunk in hand at most.

    Args:
        settings: where they are, and what becomes of calls where nobody is.
        limits: what holds for every exchange.
        stop: when the pass must end; what workers have in hand is called off then.
    """

    def __init__(self, settings: Fanout, limits: Limits, stop: Stop) -> None:
        self._settings = settings
        self._limits = limits
        self._stop = stop
        self._is_near = is_loopback(urlsplit(settings.address).hostname or "")
        self._errands = Errands(settings.fallback, stop)
        self._workers = Workers(settings, limits, stop, self._errands)
        self._is_gone = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def error(self) -> FanoutError | None:
        """Why calls were not made, if any were not."""
        return self._errands.error

    @property
    def room(self) -> int:
        """How many calls may be in hand: a chunk at each worker, and as many that wait for it."""
        return 2 * self._settings.chunk * self._workers.count

    def takes(self, request: Request) -> bool:
        """Whether a request is one that may be made elsewhere, and whether somebody is there.

        Raises:
            FanoutError: it is one, nobody is there, and nobody else may.
        """
        if not may_go(request, self._limits, is_near=self._is_near):
            return False
        if self._is_gone and self._settings.fallback == "fail":
            raise self._errands.unmade()
        return not self._is_gone

    def begin(self, call: Call, done: Callable[[Call], None], concurrency: int) -> None:
        """Have a call made by the next worker that is free; it is returned at once where its request cannot travel."""
        try:
            self._errands.add(call, done, concurrency)
        except (TypeError, ValueError):
            if call.give_back():
                done(call)
            return
        with self._lock:
            if self._thread is None:
                self._loop = asyncio.new_event_loop()
                self._thread = start_daemon(self._live, self._loop, name="pollctl-fanout")
        if self._is_gone:
            self._errands.end()
        self._wake()

    def close(self) -> None:
        """End the thread, and call off what workers have in hand; waits for nobody for long."""
        self._workers.is_closed = True
        self._wake()
        if self._thread:
            self._thread.join(_LONGEST_GOODBYE_S)

    def _wake(self) -> None:
        if self._loop:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._workers.arrived.set)

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        """What its thread does: have workers serve, then settle what they have left."""
        why = self._workers.serve(loop)
        if not self._workers.is_closed:
            self._errands.last_words = f"{self._settings.address}: {why}"
            if self._settings.fallback == "local" and not self._stop.is_stopping:
                log(f"[pollctl.fanout]: {self._errands.last_words}; asking from here instead")
        self._is_gone = True
        self._errands.end()
