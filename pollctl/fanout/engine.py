"""Workers of Dask, which make the GETs and HEADs of a pass: a thread of its own speaks with them, the pass waits for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from pollctl import clock
from pollctl.api.values import Request
from pollctl.concurrency.threads import start_daemon
from pollctl.console import log
from pollctl.errors import FanoutError, text_of
from pollctl.fanout.asker import Asker, versions
from pollctl.fanout.connecting import WITHIN_S, close, connected
from pollctl.fanout.eligibility import may_go
from pollctl.fanout.wire import Reply, Terms, opened_replies, packed, sealed_requests
from pollctl.http.journey import Whole
from pollctl.redaction import redact
from pollctl.urls import is_loopback

if TYPE_CHECKING:
    from distributed import Client

    from pollctl.concurrency.call import Call
    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.schema import Fanout
    from pollctl.http.limits import Limits

_SILENCE_S = 10.0
"""How long a worker may say nothing until it counts as lost."""
_GATHERING_S = 0.005
"""How long requests gather before they go together."""
_MOST_LOSSES = 2
"""How often a request may go down with its worker: what kills one would kill the next."""
_LONGEST_GOODBYE_S = 1.5


class _Errand:
    """A call that is made elsewhere, and who waits for it."""

    def __init__(self, call: Call, done: Callable[[Call], None], concurrency: int, number: int) -> None:
        self.call = call
        self.done = done
        self.concurrency = concurrency
        self.number = number
        self.request = packed(call.item, number)
        self.losses = 0

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return self.call.cut is None


_Left = dict[int, _Errand]
"""What a worker has in hand, by number."""


class Engine:
    """Makes calls of one pass on workers, of which each has a chunk in hand at most.

    Args:
        settings: where they are, and what becomes of calls where nobody is.
        limits: what holds for every exchange.
        stop: when the pass must end; what workers have in hand is called off then.

    Attributes:
        error: why calls were not made, if any were not.
    """

    def __init__(self, settings: Fanout, limits: Limits, stop: Stop) -> None:
        self.error: FanoutError | None = None
        self._settings = settings
        self._limits = limits
        self._stop = stop
        self._is_near = is_loopback(urlsplit(settings.address).hostname or "")
        self._waiting: deque[_Errand] = deque()
        self._numbers = count()
        self._workers = 1
        self._last_words = "it has no workers"
        self._is_gone = False
        self._is_closed = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()

    # in the threads of the pass

    @property
    def room(self) -> int:
        """How many calls may be in hand: a chunk at each worker, and as many that wait for it."""
        return 2 * self._settings.chunk * self._workers

    def takes(self, request: Request) -> bool:
        """Whether a request is one that may be made elsewhere, and whether somebody is there.

        Raises:
            FanoutError: it is one, nobody is there, and nobody else may.
        """
        if not may_go(request, self._limits, is_near=self._is_near):
            return False
        if self._is_gone and self._settings.fallback == "fail":
            self.error = self.error or self._why_not()
            raise self.error
        return not self._is_gone

    def begin(self, call: Call, done: Callable[[Call], None], concurrency: int) -> None:
        """Have a call made by the next worker that is free; it is returned at once where its request cannot travel."""
        try:
            self._waiting.append(_Errand(call, done, concurrency, next(self._numbers)))
        except (TypeError, ValueError):
            if call.give_back():
                done(call)
            return
        with self._lock:
            if self._thread is None:
                self._loop = asyncio.new_event_loop()
                self._thread = start_daemon(self._live, self._loop, name="pollctl-fanout")
        if self._is_gone:
            self._hand_back(self._all_waiting())
        self._wake()

    def close(self) -> None:
        """End the thread, and call off what workers have in hand; waits for nobody for long."""
        self._is_closed = True
        self._wake()
        if self._thread:
            self._thread.join(_LONGEST_GOODBYE_S)

    def _wake(self) -> None:
        if self._loop:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._arrived.set)

    # in the engine's own

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                why = runner.run(self._serve_all())
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait without end
            why = _in_words(error)
        self._end(why)

    async def _serve_all(self) -> str:
        """Have all workers serve until the pass closes or none is left; answers why there is none."""
        try:
            client = await connected(self._settings)
        except Exception as error:  # noqa: BLE001 - of somebody else's code, with many kinds
            return f"cannot be reached: {_in_words(error)}"
        try:
            with client.as_current():
                return await self._serve_with(client)
        finally:
            await close(client)

    async def _serve_with(self, client: Client) -> str:
        async with asyncio.timeout(WITHIN_S):
            there = await client.run_on_scheduler(versions)
            workers = list(await client.nthreads())
        if there != versions():
            return f"its scheduler differs: {_differing(there)}"
        self._workers = len(workers)
        await asyncio.gather(*(self._serve(client, worker) for worker in workers))
        return f"no worker is left: {self._last_words}"

    async def _serve(self, client: Client, worker: str) -> None:
        """Have one worker make requests until the pass closes."""
        left: _Left = {}
        try:
            asker = await asyncio.wait_for(self._asker_on(client, worker), WITHIN_S)
            while await self._has_work(left):
                await self._trade(asker, left)
        except Exception as error:  # noqa: BLE001 - of somebody else's code, with many kinds
            self._last_words = f"worker {worker} is left out: {_in_words(error)}"
            log(f"[pollctl.fanout]: {self._last_words}")
        self._workers -= 1
        self._take_back(left.values())

    async def _asker_on(self, client: Client, worker: str) -> Asker:
        there = (await client.run(versions, workers=[worker], on_error="return"))[worker]
        if isinstance(there, BaseException):
            raise there
        if there != versions():
            raise FanoutError(_differing(there))
        key = f"pollctl-asker-{uuid4().hex}"
        made: Any = client.submit(
            Asker, Terms.of(self._limits), key=key, workers=[worker], actor=True, pure=False, allow_other_workers=False
        )
        asker: Asker = await made
        return asker

    async def _has_work(self, left: _Left) -> bool:
        """Wait until a worker has something to do; False once the pass closes."""
        while not (left or self._waiting or self._is_closed):
            self._arrived.clear()
            if not self._waiting:
                await self._arrived.wait()
            await asyncio.sleep(_GATHERING_S)
        return bool(left) or not self._is_closed

    async def _trade(self, asker: Asker, left: _Left) -> None:
        """Give a worker as much more as it may have in hand, and hand on what it answers; what it leaves undone waits again."""
        fresh = {}
        if self._stop.is_stopping:
            self._call_off(self._all_waiting())
        if self._is_unwanted(left.values()):
            await _heard(asker.stop())
        else:
            fresh = {errand.number: errand for errand in self._more(left)}
        left |= fresh
        if self._is_closed or not left:
            left.clear()
            return
        requests = sealed_requests(errand.request for errand in fresh.values())
        concurrency = next(iter(left.values())).concurrency // max(1, self._workers)
        allowed_s = min(self._stop.remaining, threading.TIMEOUT_MAX)
        replies, may_be_more = await _heard(asker.trade(requests, max(1, concurrency), allowed_s))
        for reply in opened_replies(replies):
            _complete(left.pop(reply.number), reply)
        if not may_be_more:
            undone = list(left.values())
            left.clear()
            self._take_back(undone)

    def _more(self, left: _Left) -> Iterator[_Errand]:
        """What a worker gets beside what it has: up to a chunk in all, its share of the last ones, one concurrency at a time."""
        share = -(-len(self._waiting) // max(1, self._workers))
        concurrency = next((errand.concurrency for errand in left.values()), 0)
        for _ in range(min(share, self._settings.chunk - len(left))):
            if not self._waiting or self._waiting[0].concurrency != (concurrency or self._waiting[0].concurrency):
                return
            errand = self._waiting.popleft()
            if errand.is_wanted:
                concurrency = errand.concurrency
                yield errand

    def _is_unwanted(self, errands: Collection[_Errand]) -> bool:
        nobody_waits = bool(errands) and not any(errand.is_wanted for errand in errands)
        return self._stop.is_stopping or self._is_closed or nobody_waits

    def _take_back(self, errands: Iterable[_Errand]) -> None:
        """What becomes of calls that a worker has left unanswered."""
        wanted = [errand for errand in errands if errand.is_wanted]
        if self._stop.is_stopping:
            self._call_off(wanted)
            return
        for errand in wanted:
            errand.losses += 1
        self._hand_back([errand for errand in wanted if errand.losses >= _MOST_LOSSES])
        self._waiting.extendleft(errand for errand in wanted if errand.losses < _MOST_LOSSES)
        self._arrived.set()

    def _call_off(self, errands: Iterable[_Errand]) -> None:
        for errand in errands:
            if errand.call.give_up("stopped" if self._stop.requested else "deadline"):
                errand.done(errand.call)

    def _all_waiting(self) -> list[_Errand]:
        errands = []
        with suppress(IndexError):
            while True:
                errands.append(self._waiting.popleft())
        return errands

    def _end(self, why: str) -> None:
        """Nobody is there any more."""
        if not self._is_closed:
            self._last_words = f"{self._settings.address}: {why}"
        self._is_gone = True
        if self._stop.is_stopping:
            self._call_off(self._all_waiting())
            return
        if self._settings.fallback == "local" and not self._is_closed:
            log(f"[pollctl.fanout]: {self._last_words}; asking from here instead")
        self._hand_back(self._all_waiting())

    def _why_not(self) -> FanoutError:
        return FanoutError(f"[pollctl.fanout]: {self._last_words}")

    def _hand_back(self, errands: Iterable[_Errand]) -> None:
        """Have calls made from here, or say why they were not made at all."""
        for errand in errands:
            if self._is_handed_back(errand.call):
                errand.done(errand.call)

    def _is_handed_back(self, call: Call) -> bool:
        """Settle what becomes of a call; False where nobody waits for it any more, and so nothing is amiss."""
        if self._settings.fallback == "local":
            return call.give_back()
        error = self.error or self._why_not()
        if not call.complete(None, error):
            return False
        self.error = error
        return True


def _complete(errand: _Errand, reply: Reply) -> None:
    call = errand.call
    sent_at = call.started_at
    error = reply.error
    value = error or Whole(reply.status, reply.headers, reply.body, upstream=reply.address, phases=reply.phases)
    if not call.complete(value):
        return
    began_at = clock.now() - timedelta(seconds=reply.age_s)  # by this clock, whatever the worker's shows
    call.started_at = max(began_at, sent_at) if sent_at else began_at
    call.elapsed_ms = reply.elapsed_ms
    errand.done(call)


async def _heard(saying: Any) -> Any:
    """What a worker says.

    Raises:
        TimeoutError: nothing.
    """
    return await asyncio.wait_for(saying, _SILENCE_S)


def _differing(there: Any) -> str:
    here = versions()
    return ", ".join(
        f"{name} {there.get(name)} there, {here[name]} here" for name in here if there.get(name) != here[name]
    )


def _in_words(error: BaseException) -> str:
    text = redact(text_of(error)) or "no answer in time"
    return text if isinstance(error, FanoutError) else f"{type(error).__name__}: {text}"
