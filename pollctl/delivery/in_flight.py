"""What of an outbox is on its way: handed to a worker when it is claimed, and in the step that settles it followed by the next."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from pollctl.api.values import Effect
from pollctl.clock import from_text
from pollctl.clock import now as clock_now
from pollctl.concurrency.cancellation import Stop
from pollctl.delivery.lanes import OTHERS, SIDE_BY_SIDE, Lanes, Phase
from pollctl.delivery.settlement import Claimed, Settle, Settlement
from pollctl.store.database import writing

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlite_utils import Database

    from pollctl.concurrency.daemon_executor import DaemonExecutor

COLUMNS = "id, kind, key, CAST(payload AS BLOB), lane, attempts, attempts - attempts_cut_off, created_at"
"""What ``effect_of`` reads, and how many attempts count."""

Deliver = Callable[[Effect], Any]


class Tally(Struct, frozen=True):
    """What became of the effects that were sent."""

    delivered: int = 0
    failed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.delivered + other.delivered, self.failed + other.failed)


class Errand(NamedTuple):
    """What ``deliver`` was asked for."""

    send: Deliver
    settle: Settle
    stop: Stop
    until: float

    @property
    def is_between_rounds(self) -> bool:
        """Whether another call will follow in this pass."""
        return self.until < float("inf")

    @property
    def is_over(self) -> bool:
        """Whether nothing new may start."""
        return self.stop.is_stopping or time.monotonic() >= self.until

    @property
    def patience(self) -> float:
        """Seconds to wait for what is in flight."""
        return max(0.0, min(self.stop.remaining, self.until - time.monotonic(), threading.TIMEOUT_MAX))


class InFlight:
    """The effects of one outbox that are on their way, sent by workers of its own.

    Args:
        db: a database to write to.
        lanes: in what order they go.
        settlement: marks those that have come back.
    """

    def __init__(self, db: Database, lanes: Lanes, settlement: Settlement) -> None:
        self._db = db
        self._lanes = lanes
        self._settlement = settlement
        self._in_flight: dict[Future[Any], Claimed] = {}
        self._rests: set[int] = set()  # in this pass; later passes try again, whatever the backoff

    def close(self) -> None:
        """Let go of the workers; what still hangs there is left to itself."""
        if "_executor" in vars(self):
            self._executor.shutdown(wait=False, cancel_futures=True)

    @cached_property
    def _executor(self) -> DaemonExecutor:
        from pollctl.concurrency.daemon_executor import DaemonExecutor

        return DaemonExecutor(SIDE_BY_SIDE)

    def send(self, errand: Errand, phase: Phase) -> Tally:
        """Send the effects of one sort; what is in flight from a call before is settled among ``OTHERS``."""
        if errand.is_between_rounds and self._in_flight and phase is not OTHERS:
            return Tally()  # who must be alone would have all others wait for what is slow
        lanes = self._lanes.due(phase, clock_now(), lambda: errand.is_over)
        first = next(lanes, None)
        if first is not None:
            return self._drain(errand, phase, chain([first], lanes))
        return self._drain(errand, phase, lanes) if self._in_flight and phase is OTHERS else Tally()

    def _drain(self, errand: Errand, phase: Phase, lanes: Iterator[str]) -> Tally:
        """Send the heads of *lanes*, and what stands behind them as far as it is of the same sort."""
        from concurrent.futures import FIRST_COMPLETED, wait

        tally = Tally()
        is_first = True
        while self._in_flight or is_first:
            is_first = False
            completed = [(self._in_flight.pop(future), future) for future in [*self._in_flight] if future.done()]
            room = 0 if errand.is_over else max(0, phase.width - len(self._in_flight))
            if room:  # what no worker is free for must not be marked as on its way
                room = min(room, self._executor.reserve(room))
            claimed, settled = self._settle_and_claim(completed, phase, lanes, room, errand.settle)
            tally += settled
            self._in_flight.update({self._executor.submit(errand.send, one.effect): one for one in claimed})
            if self._in_flight and not wait(self._in_flight, timeout=errand.patience, return_when=FIRST_COMPLETED).done:
                return tally + (self._left_in_flight() if errand.stop.is_past_deadline else Tally())
        return tally

    def _left_in_flight(self) -> Tally:
        """What the deadline leaves on its way, each counted once."""
        left = {one.effect.id for one in self._in_flight.values()} - self._rests
        self._rests |= left
        return Tally(failed=len(left))

    def _settle_and_claim(
        self,
        completed: Sequence[tuple[Claimed, Future[Any]]],
        phase: Phase,
        lanes: Iterator[str],
        room: int,
        settle: Settle,
    ) -> tuple[list[Claimed], Tally]:
        """In one transaction: settle what is completed, and mark as ``sending`` what takes its place."""
        tally = Tally()
        claimed: list[Claimed] = []
        with writing(self._db):
            now = clock_now()
            for one, future in completed:
                tally += self._settle(one, future, settle, now)
            freed = dict.fromkeys(one.effect.lane for one, _ in completed)
            for lane in chain(freed, lanes) if room > 0 else ():
                claimed += self._claim(lane, phase, now)
                if len(claimed) >= room:
                    break
        return claimed, tally

    def _settle(self, one: Claimed, future: Future[Any], settle: Settle, now: datetime) -> Tally:
        course = self._settlement.settled(one, future, settle, now)
        if course == "delivered":
            return Tally(delivered=1)
        self._rests.add(one.effect.id)
        return Tally(failed=int(course == "failed"))

    def _claim(self, lane: str, phase: Phase, now: datetime) -> list[Claimed]:
        """Mark the head of a lane as ``sending``, if it is due and of that sort: a list of one or none."""
        head = self._lanes.head(lane, phase, now)
        if head is None or head in self._rests:
            return []
        row = self._db.conn.execute(f"SELECT {COLUMNS} FROM outbox WHERE id=?", (head,)).fetchone()  # noqa: S608
        try:
            claimed = Claimed(effect_of(row), row[6] + 1)
        except ValueError as error:
            self._settlement.mark_damaged(head, error)
            return []
        self._db.conn.execute("UPDATE outbox SET status='sending', attempts=attempts+1 WHERE id=?", (head,))
        return [claimed]


def effect_of(row: Sequence[Any]) -> Effect:
    """The effect of a row of ``COLUMNS``.

    Raises:
        ValueError: the row is damaged.
    """
    number, kind, key, payload, lane, attempts, _, created_at = row
    return Effect(
        id=number,
        kind=kind,
        key=key,
        payload=json.loads(payload),
        lane=lane,
        attempt=attempts + 1,
        created_at=from_text(created_at),
    )
