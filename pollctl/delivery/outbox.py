"""Effects on their way to the outside world: queued with the decision, sent after the commit, settled exactly once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from pollctl.api.values import Effect
from pollctl.clock import from_text, to_text
from pollctl.clock import now as clock_now
from pollctl.concurrency.cancellation import Stop
from pollctl.delivery.effects import Queued
from pollctl.delivery.lanes import CORE, DEADLY, IS_CORE, OTHERS, SIDE_BY_SIDE, SUSPECTS, Lanes, Phase
from pollctl.delivery.policy import Policy
from pollctl.delivery.settlement import Claimed, Settle, Settlement
from pollctl.store.database import writing

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlite_utils import Database

    from pollctl.concurrency.daemon_executor import DaemonExecutor

_COLUMNS = "id, kind, key, CAST(payload AS BLOB), lane, attempts, attempts - attempts_cut_off, created_at"
_AT_ONCE = 500  # effects in one query


class Tally(Struct, frozen=True):
    """What became of the effects that were sent."""

    delivered: int = 0
    failed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.delivered + other.delivered, self.failed + other.failed)


Deliver = Callable[[Effect], Any]


class Outbox:
    """The effects of one plugin.

    Args:
        db: a database to write to.
        plugin: whose effects.
        policy: what becomes of deliveries that fail; kinds that it does not name may be sent again, and are given up in the end.
    """

    def __init__(self, db: Database, plugin: str, policy: Policy) -> None:
        self._db = db
        self._plugin = plugin
        self._policy = policy
        self._lanes = Lanes(db, plugin, policy)
        self._settlement = Settlement(db, policy)
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

    def queue(self, run_id: str, effects: Sequence[Queued], now: datetime) -> int:
        """Write effects within the caller's transaction; answers how many were new (a known key queues nothing)."""
        before = self._db.conn.total_changes
        self._db.conn.executemany(
            "INSERT INTO outbox (plugin, run_id, kind, key, lane, payload, next_attempt_at, created_at) "
            "VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (plugin, key) DO NOTHING",
            [
                (
                    self._plugin,
                    run_id,
                    effect.kind,
                    effect.key,
                    effect.lane or effect.key,
                    effect.payload,
                    effect.not_before or to_text(now),
                    to_text(now),
                )
                for effect in effects
            ],
        )
        queued = self._db.conn.total_changes - before
        self._db.conn.executemany(
            "INSERT INTO outbox_addresses SELECT id, ? FROM outbox WHERE plugin=? AND key=? AND status='pending' "
            "ON CONFLICT DO NOTHING",
            [(effect.address, self._plugin, effect.key) for effect in effects if effect.address],
        )
        return queued

    def known_otherwise(self, effects: Sequence[Queued]) -> list[Queued]:
        """Those of the effects whose key is known with another payload, which stands."""
        differing = []
        for first in range(0, len(effects), _AT_ONCE):
            some = effects[first : first + _AT_ONCE]
            payloads = self._payloads([one.key for one in some])
            differing += [one for one in some if payloads.get(one.key, one.payload.encode()) != one.payload.encode()]
        return differing

    def _payloads(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        query = f"SELECT key, CAST(payload AS BLOB) FROM outbox WHERE plugin=? AND key IN ({','.join('?' * len(keys))})"  # noqa: S608
        return dict(self._db.conn.execute(query, (self._plugin, *keys)).fetchall())

    def next_try(self, now: datetime) -> datetime | None:
        """When the next of the open effects is tried; *now* where one need not wait, None where there is none."""
        return self._lanes.next_try(now)

    def given_up(self) -> list[Effect]:
        """Messages that are dead and whose plugin has not heard of it yet, the oldest first."""
        rows = self._db.conn.execute(
            f"SELECT {_COLUMNS} FROM outbox INDEXED BY outbox_given_up "  # noqa: S608
            "WHERE plugin=? AND status='dead' AND kind='tell' AND result IS NULL ORDER BY id LIMIT 1000",
            (self._plugin,),
        )
        return [_effect(row) for row in rows.fetchall()]

    def mark_heard_of(self, effect: Effect) -> None:
        """Note that the plugin has heard that a message is dead."""
        self._db.conn.execute("UPDATE outbox SET result='null' WHERE id=?", (effect.id,))

    def recover(self, now: datetime, *, only_core: bool = False) -> None:
        """Take up deliveries that a dead pass cut off: to be sent again, or ``unknown`` where a repeat would do harm.

        Of several that were cut off together nobody knows which of them killed the pass: the attempt counts against none,
        and each goes alone the next time. It counts against one that was alone.
        """
        whose = IS_CORE if only_core else "1"
        cut_off = self._db.conn.execute(
            "SELECT id, kind, key, attempts - attempts_cut_off, tries_alone FROM outbox INDEXED BY outbox_by_status "  # noqa: S608
            f"WHERE plugin=? AND status='sending' AND {whose}",
            (self._plugin,),
        ).fetchall()
        was_alone = len(cut_off) == 1
        for number, kind, key, attempts, tries_alone in cut_off:
            alone = (tries_alone or 0) + was_alone
            what = self._policy.after_cut(kind, key, attempts if was_alone else attempts - 1, alone)
            self._db.conn.execute(
                "UPDATE outbox SET status=?, next_attempt_at=?, tries_alone=?, attempts_cut_off=attempts_cut_off+?, "
                "last_error='cut off while it was being sent' WHERE id=?",
                (what.status, to_text(now + what.pause), alone, int(not was_alone), number),
            )

    def deliver(
        self,
        send: Deliver,
        settle: Settle,
        stop: Stop,
        *,
        until: float = float("inf"),
        only_core: bool = False,
        is_last: bool = True,
    ) -> Tally:
        """Send what is due until nothing is left or the pass must end.

        First what the core itself has to say, one at a time; then the plugin's effects, lanes side by side and each lane in
        order; then the suspects (see ``lanes``), one at a time, and after each sort of them what stood behind them.

        Args:
            send: performs one effect and returns its result; called in a worker thread.
            settle: records a result, within the transaction that marks the effect delivered.
            stop: past its deadline nothing new starts; what is still in flight then stays ``sending``.
            until: the monotonic moment after which nothing new starts either; what is still in flight then is
                settled by the next call.
            only_core: only what the core itself has to say.
            is_last: whether the pass has done its work, so that effects that killed more than one pass have their turn.

        Raises:
            MachineError: there is something to send and no thread to send it with; nothing was claimed.
        """
        errand = _Errand(send, settle, stop, until)
        if only_core:
            return sum((self._send_phase(errand, phase.of_core()) for phase in (CORE, *SUSPECTS, DEADLY)), Tally())
        tally = self._send_phase(errand, CORE) + self._send_phase(errand, OTHERS)
        for suspects in (*SUSPECTS, DEADLY) if is_last else SUSPECTS:
            sent = self._send_phase(errand, suspects)
            tally += sent + (self._send_phase(errand, OTHERS) if sent.delivered else Tally())
        return tally

    def _send_phase(self, errand: _Errand, phase: Phase) -> Tally:
        """Send the effects of one sort; what is in flight from a call before is settled among ``OTHERS``."""
        if errand.is_between_rounds and self._in_flight and phase is not OTHERS:
            return Tally()  # who must be alone would have all others wait for what is slow
        lanes = self._lanes.due(phase, clock_now(), lambda: errand.is_over)
        first = next(lanes, None)
        if first is not None:
            return self._drain(errand, phase, chain([first], lanes))
        return self._drain(errand, phase, lanes) if self._in_flight and phase is OTHERS else Tally()

    def _drain(self, errand: _Errand, phase: Phase, lanes: Iterator[str]) -> Tally:
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
        row = self._db.conn.execute(f"SELECT {_COLUMNS} FROM outbox WHERE id=?", (head,)).fetchone()  # noqa: S608
        try:
            claimed = Claimed(_effect(row), row[6] + 1)
        except ValueError as error:
            self._settlement.mark_damaged(head, error)
            return []
        self._db.conn.execute("UPDATE outbox SET status='sending', attempts=attempts+1 WHERE id=?", (head,))
        return [claimed]


class _Errand(NamedTuple):
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


def _effect(row: Sequence[Any]) -> Effect:
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
