"""What the engine's own thread does with workers: it finds them, gives them calls and hands on what they answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pollctl.console import log
from pollctl.errors import FanoutError, text_of
from pollctl.fanout.asker import Asker, versions
from pollctl.fanout.connecting import WITHIN_S, close, connected
from pollctl.fanout.wire import Terms, joined, opened_replies, sealed_requests
from pollctl.redaction import redact

if TYPE_CHECKING:
    from distributed import Client

    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.schema import Fanout
    from pollctl.fanout.errands import Errand, Errands, Left
    from pollctl.fanout.wire import Reply
    from pollctl.http.limits import Limits

_SILENCE_S = 10.0
"""How long a worker may say nothing until it counts as lost."""
_GATHERING_S = 0.005
"""How long requests gather before they go together."""


class Workers:
    """The workers of one pass.

    Args:
        settings: where they are.
        limits: what holds for every exchange.
        stop: when the pass must end; what they have in hand is called off then.
        errands: what they are to make.

    Attributes:
        count: how many there are; one, as long as nobody knows.
        arrived: tells them that there is something to do.
        is_closed: whether the pass needs them no more.
    """

    def __init__(self, settings: Fanout, limits: Limits, stop: Stop, errands: Errands) -> None:
        self.count = 1
        self.arrived = asyncio.Event()
        self.is_closed = False
        self._settings = settings
        self._limits = limits
        self._stop = stop
        self._errands = errands

    def serve(self, loop: asyncio.AbstractEventLoop) -> str:
        """Have all workers serve until the pass closes or none is left; answers why there is none."""
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                return runner.run(self._serve_all())
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait without end
            return _in_words(error)

    async def _serve_all(self) -> str:
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
        self.count = len(workers)
        await asyncio.gather(*(self._serve(client, worker) for worker in workers))
        return f"no worker is left: {self._errands.last_words}"

    async def _serve(self, client: Client, worker: str) -> None:
        """Have one worker make requests until the pass closes."""
        left: Left = {}
        try:
            asker = await asyncio.wait_for(self._asker_on(client, worker), WITHIN_S)
            while await self._has_work(left):
                await self._trade(asker, left)
        except Exception as error:  # noqa: BLE001 - of somebody else's code, with many kinds
            self._errands.last_words = f"worker {worker} is left out: {_in_words(error)}"
            log(f"[pollctl.fanout]: {self._errands.last_words}")
        self.count -= 1
        self._leave(left.values())

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

    async def _has_work(self, left: Left) -> bool:
        """Wait until a worker has something to do; False once the pass closes."""
        while not (left or self._errands or self.is_closed):
            self.arrived.clear()
            if not self._errands:
                await self.arrived.wait()
            await asyncio.sleep(_GATHERING_S)
        return bool(left) or not self.is_closed

    async def _trade(self, asker: Asker, left: Left) -> None:
        """Give a worker as much more as it may have in hand, and hand on what it answers; what it leaves undone waits again."""
        fresh = {}
        if self._stop.is_stopping:
            self._errands.call_off()
        if self._is_unwanted(left.values()):
            await _heard(asker.stop())
        else:
            fresh = {errand.number: errand for errand in self._errands.more(left, self._settings.chunk, self.count)}
        left |= fresh
        if self.is_closed or not left:
            left.clear()
            return
        replies, may_be_more = await self._answers(asker, fresh.values(), left)
        for reply in replies:
            left.pop(reply.number).complete(reply)
        if not may_be_more:
            undone = list(left.values())
            left.clear()
            self._leave(undone)

    async def _answers(self, asker: Asker, fresh: Iterable[Errand], left: Left) -> tuple[Sequence[Reply], bool]:
        """Give a worker calls beside those that it has; what it answers, while anybody waits, and whether there may be more."""
        requests = sealed_requests(errand.request for errand in fresh)
        concurrency = next(iter(left.values())).concurrency // max(1, self.count)
        allowed_s = min(self._stop.remaining, threading.TIMEOUT_MAX)
        part, is_cut, may_be_more = await _heard(asker.trade(requests, max(1, concurrency), allowed_s))
        parts = [part]
        while is_cut and not self._is_unwanted(left.values()):
            part, is_cut = await _heard(asker.next_part())
            parts.append(part)
        return [] if is_cut else opened_replies(joined(parts)), may_be_more

    def _is_unwanted(self, errands: Collection[Errand]) -> bool:
        nobody_waits = bool(errands) and not any(errand.is_wanted for errand in errands)
        return self._stop.is_stopping or self.is_closed or nobody_waits

    def _leave(self, errands: Iterable[Errand]) -> None:
        """Have calls that a worker has left unanswered wait again."""
        self._errands.take_back(errands)
        self.arrived.set()


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
