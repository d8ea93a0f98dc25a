"""Effects on their way to the outside world: queued with the decision, sent after the commit, settled exactly once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from msgspec import Struct
from sqlite_utils import Database

from pollctl import redaction, signals
from pollctl.api.values import Effect
from pollctl.clock import from_text, to_text
from pollctl.clock import now as clock_now
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.delivery.effects import Queued
from pollctl.delivery.lanes import PHASES, SIDE_BY_SIDE, Lanes
from pollctl.delivery.policy import Policy
from pollctl.encoding import encoded
from pollctl.errors import DeliveryError, text_of
from pollctl.redaction import one_line
from pollctl.store.database import writing
from pollctl.store.errors import raise_for_machine

_COLUMNS = "id, kind, key, payload, lane, attempts, attempts - attempts_cut_off, created_at"


class Tally(Struct, frozen=True):
    """What became of the effects that were sent."""

    delivered: int = 0
    failed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.delivered + other.delivered, self.failed + other.failed)


class _Claimed(NamedTuple):
    """An effect on its way, and how many of its attempts count against it."""

    effect: Effect
    counted: int


Settle = Callable[[Effect, Any], None]
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
        self._executor = DaemonExecutor(SIDE_BY_SIDE)
        self._in_flight: dict[Future[Any], _Claimed] = {}
        self._failed: set[int] = set()  # in this pass; later passes try again, whatever the backoff

    def close(self) -> None:
        """Let go of the workers; what still hangs there is left to itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)

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
        return self._db.conn.total_changes - before

    def recover(self, now: datetime, *, lane_prefix: str = "") -> None:
        """Take up deliveries that a dead pass cut off: to be sent again, or ``unknown`` where a repeat would do harm.

        Of several that were cut off together nobody knows which of them killed the pass: the attempt counts against none,
        and each goes alone the next time. It counts against one that was alone.
        """
        cut_off = self._db.conn.execute(
            "SELECT id, kind, key, attempts - attempts_cut_off, tries_alone FROM outbox INDEXED BY outbox_by_status "
            "WHERE plugin=? AND status='sending' AND lane GLOB ?",
            (self._plugin, f"{lane_prefix}*"),
        ).fetchall()
        was_alone = len(cut_off) == 1
        for number, kind, key, counted, tries_alone in cut_off:
            alone = (tries_alone or 0) + was_alone
            what = self._policy.after_cut(kind, key, counted, alone)
            self._db.conn.execute(
                "UPDATE outbox SET status=?, next_attempt_at=?, tries_alone=?, attempts_cut_off=attempts_cut_off+?, "
                "last_error='cut off while it was being sent' WHERE id=?",
                (what.status, to_text(now + what.pause), alone, int(not was_alone), number),
            )

    def deliver(
        self, send: Deliver, settle: Settle, stop: Stop, *, until: float = float("inf"), lane_prefix: str = ""
    ) -> Tally:
        """Send what is due until nothing is left or the pass must end.

        First what the core itself has to say, one at a time; then the plugin's effects, lanes side by side and each lane in
        order; last the suspects (see ``lanes``), one at a time.

        Args:
            send: performs one effect and returns its result; called in a worker thread.
            settle: records a result, within the transaction that marks the effect delivered.
            stop: past its deadline nothing new starts; what is still in flight then stays ``sending``.
            until: the monotonic moment after which nothing new starts either; what is still in flight then is
                settled by the next call.
            lane_prefix: only lanes whose names begin so.

        Raises:
            MachineError: there is something to send and no thread to send it with; nothing was claimed.
        """
        tally, errand = Tally(), _Errand(send, settle, stop, until)
        for phase in PHASES:
            lanes = self._lanes.due(phase, clock_now(), lane_prefix, lambda: errand.is_over)
            first = next(lanes, None)
            if first is not None or self._in_flight:
                waiting = lanes if first is None else chain([first], lanes)
                tally += self._drain(errand, waiting, phase.width)
        return tally

    def _drain(self, errand: _Errand, lanes: Iterator[str], width: int) -> Tally:
        """Send the heads of *lanes* and what stands behind them, at most *width* at once."""
        tally = Tally()
        is_first = True
        while self._in_flight or is_first:
            is_first = False
            completed = [(self._in_flight.pop(future), future) for future in [*self._in_flight] if future.done()]
            room = 0 if errand.is_over else max(0, width - len(self._in_flight))
            if room:  # what no worker is free for must not be marked as on its way
                room = min(room, self._executor.reserve(room))
            claimed, settled = self._settle_and_claim(completed, lanes, room, errand.settle)
            tally += settled
            self._in_flight.update({self._executor.submit(errand.send, one.effect): one for one in claimed})
            if self._in_flight and not wait(self._in_flight, timeout=errand.patience, return_when=FIRST_COMPLETED).done:
                return tally + Tally(failed=len(self._in_flight) if errand.stop.is_past_deadline else 0)
        return tally

    def _settle_and_claim(
        self, completed: Sequence[tuple[_Claimed, Future[Any]]], lanes: Iterator[str], room: int, settle: Settle
    ) -> tuple[list[_Claimed], Tally]:
        """In one transaction: settle what is completed, and mark as ``sending`` what takes its place."""
        tally = Tally()
        claimed: list[_Claimed] = []
        with writing(self._db):
            now = clock_now()
            for one, future in completed:
                tally += self._settle(one, future, settle, now)
            freed = dict.fromkeys(one.effect.lane for one, _ in completed)
            for lane in chain(freed, lanes) if room > 0 else ():
                claimed += self._claim(lane, now)
                if len(claimed) >= room:
                    break
        return claimed, tally

    def _claim(self, lane: str, now: datetime) -> list[_Claimed]:
        """Mark the head of a lane as ``sending``, if it is due: a list of one or none."""
        head = self._lanes.head(lane, now)
        if head is None or not head[1] or head[0] in self._failed:
            return []
        row = self._db.conn.execute(f"SELECT {_COLUMNS} FROM outbox WHERE id=?", (head[0],)).fetchone()  # noqa: S608
        self._db.conn.execute("UPDATE outbox SET status='sending', attempts=attempts+1 WHERE id=?", (head[0],))
        return [_Claimed(_effect(row), row[6] + 1)]

    def _settle(self, one: _Claimed, future: Future[Any], settle: Settle, now: datetime) -> Tally:
        try:
            with self._db.atomic():
                self._mark_delivered(one.effect, future.result(), now)
                settle(one.effect, future.result())
        except DeliveryError as error:
            self._fail(one, error, now)
            return Tally(failed=1)
        except BaseException as error:
            if signals.is_of_a_person(error):
                raise
            if future.exception() is None:
                raise_for_machine(error)
            # a plugin's bug, SystemExit too; the effect must not be lost over it
            self._fail(one, DeliveryError(f"{type(error).__name__}: {text_of(error)}", uncertain=True), now)
            return Tally(failed=1)
        return Tally(delivered=1)

    def _mark_delivered(self, effect: Effect, result: Any, now: datetime) -> None:
        self._db.conn.execute(
            "UPDATE outbox SET status='delivered', delivered_at=?, result=?, last_error=NULL WHERE id=?",
            (to_text(now), encoded(result), effect.id),
        )

    def _fail(self, one: _Claimed, error: DeliveryError, now: datetime) -> None:
        """Record a failure; whatever a plugin made of its error, this cannot fail for it. The process survived: no suspect."""
        effect = one.effect
        self._failed.add(effect.id)
        what = self._policy.after_failure(effect.kind, effect.key, one.counted, error)
        self._db.conn.execute(
            "UPDATE outbox SET status=?, next_attempt_at=?, tries_alone=NULL, last_error=? WHERE id=?",
            (what.status, to_text(now + what.pause), one_line(redaction.mask(text_of(error))), effect.id),
        )


class _Errand(NamedTuple):
    """What ``deliver`` was asked for."""

    send: Deliver
    settle: Settle
    stop: Stop
    until: float

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
