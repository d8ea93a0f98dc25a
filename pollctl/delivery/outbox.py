"""Effects on their way to the outside world: queued with the decision, sent after the commit, settled exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl.api.values import Effect
from pollctl.clock import to_text
from pollctl.concurrency.cancellation import Stop
from pollctl.delivery.effects import Queued
from pollctl.delivery.in_flight import COLUMNS, Deliver, Errand, InFlight, Tally, effect_of
from pollctl.delivery.lanes import CORE, DEADLY, IS_CORE, OTHERS, SUSPECTS, Lanes
from pollctl.delivery.policy import Policy
from pollctl.delivery.settlement import Settle, Settlement

if TYPE_CHECKING:
    from sqlite_utils import Database

_AT_ONCE = 500  # effects in one query


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
        self._in_flight = InFlight(db, self._lanes, Settlement(db, policy))

    def close(self) -> None:
        """Let go of the workers; what still hangs there is left to itself."""
        self._in_flight.close()

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
        self._db.conn.executemany(
            "INSERT INTO outbox_attachments SELECT id, ?, ?, ?, ? FROM outbox "
            "WHERE plugin=? AND key=? AND payload=? AND status='pending' ON CONFLICT DO NOTHING",
            [
                (number, one.name, one.type, one.content, self._plugin, effect.key, effect.payload)
                for effect in effects
                for number, one in enumerate(effect.enclosed)
            ],
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
            f"SELECT {COLUMNS} FROM outbox INDEXED BY outbox_given_up "  # noqa: S608
            "WHERE plugin=? AND status='dead' AND kind='tell' AND result IS NULL ORDER BY id LIMIT 1000",
            (self._plugin,),
        )
        return [effect_of(row) for row in rows.fetchall()]

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
        errand = Errand(send, settle, stop, until)
        if only_core:
            return sum((self._in_flight.send(errand, phase.of_core()) for phase in (CORE, *SUSPECTS, DEADLY)), Tally())
        tally = self._in_flight.send(errand, CORE) + self._in_flight.send(errand, OTHERS)
        for suspects in (*SUSPECTS, DEADLY) if is_last else SUSPECTS:
            sent = self._in_flight.send(errand, suspects)
            tally += sent + (self._in_flight.send(errand, OTHERS) if sent.delivered else Tally())
        return tally
