"""Calls that workers are to make: which wait for one, and what becomes of those that none has answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Literal

from pollctl import clock
from pollctl.errors import FanoutError
from pollctl.fanout.wire import Reply, packed
from pollctl.http.journey import Whole

if TYPE_CHECKING:
    from pollctl.concurrency.call import Call
    from pollctl.concurrency.cancellation import Stop

_MOST_LOSSES = 2
"""How often a request may go down with its worker: what kills one would kill the next."""


class Errand:
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

    def complete(self, reply: Reply) -> None:
        """Hand on what a worker has answered."""
        call = self.call
        sent_at = call.started_at
        error = reply.error
        value = error or Whole(reply.status, reply.headers, reply.body, upstream=reply.address, phases=reply.phases)
        if not call.complete(value):
            return
        began_at = clock.now() - timedelta(seconds=reply.age_s)  # by this clock, whatever the worker's shows
        call.started_at = max(began_at, sent_at) if sent_at else began_at
        call.elapsed_ms = reply.elapsed_ms
        self.done(call)


Left = dict[int, Errand]
"""What a worker has in hand, by number."""


class Errands:
    """Calls of one pass, until a worker has made them or nobody can.

    Args:
        fallback: what becomes of those that nobody there can make.
        stop: when the pass must end; those that wait are called off then.

    Attributes:
        last_words: why nobody is there.
        error: why calls were not made, if any were not.
    """

    def __init__(self, fallback: Literal["local", "fail"], stop: Stop) -> None:
        self.last_words = "it has no workers"
        self.error: FanoutError | None = None
        self._is_local = fallback == "local"
        self._stop = stop
        self._waiting: deque[Errand] = deque()
        self._numbers = count()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, call: Call, done: Callable[[Call], None], concurrency: int) -> None:
        """Have a call wait for a worker.

        Raises:
            ValueError: its request cannot travel; ``TypeError`` likewise.
        """
        self._waiting.append(Errand(call, done, concurrency, next(self._numbers)))

    def more(self, left: Left, chunk: int, workers: int) -> Iterator[Errand]:
        """What a worker gets beside what it has: up to a chunk in all, its share of the last ones, one concurrency at a time."""
        share = -(-len(self._waiting) // max(1, workers))
        concurrency = next((errand.concurrency for errand in left.values()), 0)
        for _ in range(min(share, chunk - len(left))):
            if not self._waiting or self._waiting[0].concurrency != (concurrency or self._waiting[0].concurrency):
                return
            errand = self._waiting.popleft()
            if errand.is_wanted:
                concurrency = errand.concurrency
                yield errand

    def take_back(self, errands: Iterable[Errand]) -> None:
        """What becomes of calls that a worker has left unanswered."""
        wanted = [errand for errand in errands if errand.is_wanted]
        if self._stop.is_stopping:
            self._call_off(wanted)
            return
        for errand in wanted:
            errand.losses += 1
        self._hand_back([errand for errand in wanted if errand.losses >= _MOST_LOSSES])
        self._waiting.extendleft(errand for errand in wanted if errand.losses < _MOST_LOSSES)

    def end(self) -> None:
        """Nobody is there any more: settle all that wait."""
        if self._stop.is_stopping:
            self.call_off()
        else:
            self._hand_back(self._all_waiting())

    def call_off(self) -> None:
        """Give up all that wait, as the pass ends."""
        self._call_off(self._all_waiting())

    def unmade(self) -> FanoutError:
        """Note that calls are not made, and why."""
        self.error = self.error or self._why_not()
        return self.error

    def _why_not(self) -> FanoutError:
        return FanoutError(f"[pollctl.fanout]: {self.last_words}")

    def _call_off(self, errands: Iterable[Errand]) -> None:
        for errand in errands:
            if errand.call.give_up("stopped" if self._stop.requested else "deadline"):
                errand.done(errand.call)

    def _all_waiting(self) -> list[Errand]:
        errands = []
        with suppress(IndexError):
            while True:
                errands.append(self._waiting.popleft())
        return errands

    def _hand_back(self, errands: Iterable[Errand]) -> None:
        """Have calls made from here, or say why they were not made at all."""
        for errand in errands:
            if self._is_handed_back(errand.call):
                errand.done(errand.call)

    def _is_handed_back(self, call: Call) -> bool:
        """Settle what becomes of a call; False where nobody waits for it any more, and so nothing is amiss."""
        if self._is_local:
            return call.give_back()
        error = self.error or self._why_not()
        if not call.complete(None, error):
            return False
        self.error = error
        return True
