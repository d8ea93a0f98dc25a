"""Effects on their way to the outside world: queued with the decision, sent after the commit, settled exactly once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from sqlite_utils import Database

from pollctl import redaction, signals, units
from pollctl.api.values import Effect
from pollctl.clock import from_text, to_text
from pollctl.clock import now as clock_now
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.delivery.effects import Kinds, Queued, Retry
from pollctl.errors import DeliveryError
from pollctl.redaction import one_line
from pollctl.store.database import writing
from pollctl.store.errors import raise_for_machine

SIDE_BY_SIDE = 8
LONGEST_RETRY_AFTER = timedelta(days=1)
LONGEST_TIRELESS_PAUSE = timedelta(minutes=2)
_COLUMNS = "id, kind, key, payload, lane, attempts, created_at"
# What was queued for at once is due whatever the clock says: it may have been set back since.
_IS_DUE = "status='pending' AND (next_attempt_at<=? OR attempts=0 AND next_attempt_at<=created_at)"


class Tally(NamedTuple):
    """What became of the effects that were sent."""

    delivered: int = 0
    failed: int = 0


Settle = Callable[[Effect, Any], None]
Deliver = Callable[[Effect], Any]


class Outbox:
    """The effects of one plugin.

    Args:
        db: a database to write to.
        plugin: whose effects.
        kinds: what the plugin says of them; those that it does not name may be sent again, and are given up in the end.
        retry: how failed deliveries are tried again.
    """

    def __init__(self, db: Database, plugin: str, kinds: Kinds, retry: Retry) -> None:
        self._db = db
        self._plugin = plugin
        self._kinds = kinds
        self._retry = retry
        self._executor = DaemonExecutor(SIDE_BY_SIDE)
        self._in_flight: dict[Future[Any], Effect] = {}
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
        """Take up deliveries that a dead pass cut off: at once again, or ``unknown`` where a repeat would do harm.

        One that takes every pass with it must come to an end too, or at least leave others their turn.
        """
        cut_off = self._db.conn.execute(
            "SELECT id, kind, key, attempts FROM outbox WHERE plugin=? AND status='sending' AND lane GLOB ?",
            (self._plugin, f"{lane_prefix}*"),
        ).fetchall()
        self._db.conn.executemany(
            "UPDATE outbox SET status=?, next_attempt_at=?, last_error='cut off while it was being sent' WHERE id=?",
            [(*self._after_cut(kind, key, attempts, now), number) for number, kind, key, attempts in cut_off],
        )

    def _after_cut(self, kind: str, key: str, attempts: int, now: datetime) -> tuple[str, str]:
        """Status, and when next."""
        if kind in self._kinds.holding:
            return "unknown", to_text(now)
        is_spent = attempts >= self._retry.max_attempts
        if is_spent and kind in self._kinds.tireless:
            return "pending", to_text(now + self._pause(kind, key, attempts))
        return ("dead" if is_spent else "pending"), to_text(now)

    def _pause(self, kind: str, key: str, attempts: int) -> timedelta:
        pause = self._retry.pause(key, attempts)
        return min(pause, LONGEST_TIRELESS_PAUSE) if kind in self._kinds.tireless else pause

    def deliver(
        self, send: Deliver, settle: Settle, stop: Stop, *, until: float = float("inf"), lane_prefix: str = ""
    ) -> Tally:
        """Send what is due, lanes side by side and each lane in order, until nothing is left or the pass must end.

        Args:
            send: performs one effect and returns its result; called in a worker thread.
            settle: records a result, within the transaction that marks the effect delivered.
            stop: past its deadline nothing new starts; what is still in flight then stays ``sending``.
            until: the monotonic moment after which nothing new starts either; what is still in flight then is
                settled by the next call.
            lane_prefix: only lanes whose names begin so.
        """
        due = [lane for lane in self._lanes_due(clock_now()) if lane.startswith(lane_prefix)]
        lanes = iter(due)
        delivered = failed = 0
        while due or self._in_flight:
            completed = [(self._in_flight.pop(future), future) for future in [*self._in_flight] if future.done()]
            is_over = stop.is_stopping or time.monotonic() >= until
            room = 0 if is_over else SIDE_BY_SIDE - len(self._in_flight)
            effects, tally = self._turn(completed, lanes, room, settle)
            delivered, failed = delivered + tally.delivered, failed + tally.failed
            self._in_flight.update({self._executor.submit(send, effect): effect for effect in effects})
            if not self._in_flight:
                break
            patience = max(0.0, min(stop.remaining, until - time.monotonic()))
            if not wait(self._in_flight, timeout=patience, return_when=FIRST_COMPLETED).done:
                return Tally(delivered, failed + (len(self._in_flight) if stop.is_past_deadline else 0))
        return Tally(delivered, failed)

    def _turn(
        self, completed: Sequence[tuple[Effect, Future[Any]]], lanes: Iterator[str], room: int, settle: Settle
    ) -> tuple[list[Effect], Tally]:
        """In one transaction: settle what completed, and mark as ``sending`` what takes its place."""
        delivered = failed = 0
        effects: list[Effect] = []
        with writing(self._db):
            now = clock_now()
            for effect, future in completed:
                is_delivered = self._land(effect, future, settle, now)
                delivered, failed = delivered + is_delivered, failed + (not is_delivered)
            freed = dict.fromkeys(effect.lane for effect, _ in completed)
            for lane in chain(freed, lanes) if room > 0 else ():
                effects += self._claim(lane, now)
                if len(effects) >= room:
                    break
        return effects, Tally(delivered, failed)

    def _lanes_due(self, now: datetime) -> list[str]:
        """Lanes whose oldest open effect is due, oldest first."""
        heads = self._db.conn.execute(
            "SELECT lane, min(id) AS head FROM outbox WHERE plugin=? AND status IN ('pending', 'sending') GROUP BY lane",
            (self._plugin,),
        ).fetchall()
        due = {
            number
            for (number,) in self._db.conn.execute(
                f"SELECT id FROM outbox WHERE plugin=? AND {_IS_DUE}",  # noqa: S608
                (self._plugin, to_text(now)),
            )
        }
        return [lane for lane, head in sorted(heads, key=lambda lane_head: lane_head[1]) if head in due]

    def _claim(self, lane: str, now: datetime) -> list[Effect]:
        """Mark the head of a lane as ``sending``, if it is due: a list of one or none."""
        row = self._db.conn.execute(
            f"SELECT {_COLUMNS}, {_IS_DUE} FROM outbox WHERE plugin=? AND lane=? "  # noqa: S608
            "AND status IN ('pending', 'sending') ORDER BY id LIMIT 1",
            (to_text(now), self._plugin, lane),
        ).fetchone()
        if row is None or not row[7] or row[0] in self._failed:
            return []
        self._db.conn.execute("UPDATE outbox SET status='sending', attempts=attempts+1 WHERE id=?", (row[0],))
        return [_effect(row)]

    def _land(self, effect: Effect, future: Future[Any], settle: Settle, now: datetime) -> bool:
        try:
            with self._db.atomic():
                self._mark_delivered(effect, future.result(), now)
                settle(effect, future.result())
        except DeliveryError as error:
            self._fail(effect, error, now)
            return False
        except BaseException as error:
            if signals.is_of_a_person(error):
                raise
            if future.exception() is None:
                raise_for_machine(error)
            # a plugin's bug, SystemExit too; the effect must not be lost over it
            self._fail(effect, DeliveryError(f"{type(error).__name__}: {error}", uncertain=True), now)
            return False
        return True

    def _mark_delivered(self, effect: Effect, result: Any, now: datetime) -> None:
        self._db.conn.execute(
            "UPDATE outbox SET status='delivered', delivered_at=?, result=?, last_error=NULL WHERE id=?",
            (
                to_text(now),
                redaction.mask(msgspec.json.encode(result, enc_hook=units.encode).decode()),
                effect.id,
            ),
        )

    def _fail(self, effect: Effect, error: DeliveryError, now: datetime) -> None:
        self._failed.add(effect.id)
        status = "pending"
        is_spent = effect.attempt >= self._retry.max_attempts and effect.kind not in self._kinds.tireless
        if error.uncertain and effect.kind in self._kinds.holding:
            status = "unknown"
        elif error.permanent or is_spent:
            status = "dead"
        pause = self._pause(effect.kind, effect.key, effect.attempt)
        if error.retry_after is not None:
            asked_for = min(max(0.0, error.retry_after), LONGEST_RETRY_AFTER.total_seconds())  # NaN counts as 0
            pause = max(pause, timedelta(seconds=asked_for))
        self._db.conn.execute(
            "UPDATE outbox SET status=?, next_attempt_at=?, last_error=? WHERE id=?",
            (status, to_text(now + pause), one_line(redaction.mask(str(error))), effect.id),
        )


def _effect(row: Sequence[Any]) -> Effect:
    number, kind, key, payload, lane, attempts, created_at = row[:7]
    return Effect(
        id=number,
        kind=kind,
        key=key,
        payload=json.loads(payload),
        lane=lane,
        attempt=attempts + 1,
        created_at=from_text(created_at),
    )
