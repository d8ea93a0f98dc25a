"""An outbox whose passes die: real rows and rules in this process, made-up workers, and a death that leaves rows ``sending``.

What a real process leaves behind when it is killed is what it had committed, so a pass that dies here is one that is not
gone on with. ``tests/crash/test_poison.py`` has the real processes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple
from unittest import mock

from sqlite_utils import Database

from pollctl import DeliveryError, Effect
from pollctl.concurrency.cancellation import Stop
from pollctl.delivery import in_flight
from pollctl.delivery.effects import Queued
from pollctl.delivery.lanes import SIDE_BY_SIDE
from pollctl.delivery.outbox import Outbox
from pollctl.delivery.policy import Kinds, Policy, Retry
from pollctl.store.database import writing

MAX_ATTEMPTS = 4
KINDS = Kinds(holding=frozenset({"shout"}), tireless=frozenset({"clean"}))
POLICY = Policy(Retry(MAX_ATTEMPTS, timedelta(minutes=1), timedelta(minutes=30)), KINDS)
BETWEEN_PASSES = timedelta(hours=1)  # longer than any rest

Nature = Literal["good", "poison", "failing", "refused", "uncertain"]


class Planned(NamedTuple):
    """An effect of a story, and what comes of sending it."""

    key: str
    kind: str = "say"
    lane: str = ""
    nature: Nature = "good"


class Died(BaseException):
    """The process is gone."""


class Passes:
    """One plugin's outbox, pass after pass.

    Args:
        db: an empty database, to write to.
        planned: what is queued before the first pass.
        seed: of the order in which workers finish.
        accidents: after how many deliveries of each pass it is killed, whatever is on its way; none once they are used up.
        is_windowed: whether passes deliver between rounds too, and some workers then take longer than a round.
    """

    def __init__(
        self,
        db: Database,
        planned: Sequence[Planned],
        *,
        seed: int = 0,
        accidents: Sequence[int | None] = (),
        is_windowed: bool = False,
    ) -> None:
        self.planned = {one.key: one for one in planned}
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.begun: list[str] = []
        self.arrived: list[str] = []
        self.counted = dict.fromkeys(self.planned, 0)  # attempts that must count against each
        self.cut_off: list[Collection[str]] = []  # what each death found on its way
        self._begun_when_cut: dict[str, int] = {}  # by key: how often it had begun when it was first cut off
        self._db = db
        self._dice = random.Random(seed)
        self._accidents = list(accidents)
        rounds: list[dict[str, Any]] = [{"is_last": False, "until": 1e15}] * (3 if is_windowed else 0)
        self.calls = [{"is_last": False}, *rounds, {"is_last": True}]
        self._may_be_slow = False
        self._deliveries_left: int | None = None
        self._in_flight: dict[str, Future[Any]] = {}
        queued = [Queued(one.kind, one.key, "{}", one.lane) for one in planned]
        with db.conn:
            Outbox(db, "bell", POLICY).queue("run", queued, self.now)

    def run(self) -> bool:
        """Make one pass; answers whether it lived."""
        self._deliveries_left = self._accidents.pop(0) if self._accidents else None
        self._in_flight = {}
        with (
            mock.patch("pollctl.concurrency.daemon_executor.DaemonExecutor", return_value=self),
            mock.patch.object(in_flight, "clock_now", return_value=self.now),
            mock.patch("concurrent.futures.wait", self._wait),
        ):
            try:
                self._pass(Outbox(self._db, "bell", POLICY))
            except Died:
                self._db.conn.rollback()
                self._blame()
            self.now += BETWEEN_PASSES
        return not self._rows("status='sending'")

    def _pass(self, box: Outbox) -> None:
        with writing(self._db):
            box.recover(self.now)
        for more in self.calls:
            self._may_be_slow = "until" in more
            box.deliver(self._send, self._settle, Stop(), **more)

    def _blame(self) -> None:
        sending = [key for (key,) in self._rows("status='sending'")]
        self.cut_off.append(sending)
        self._begun_when_cut.update({key: self.begun.count(key) for key in sending if key not in self._begun_when_cut})
        if len(sending) == 1:
            self.counted[sending[0]] += 1

    # what stands in for workers

    def reserve(self, count: int) -> int:
        return count

    def submit(self, function: Callable[[Effect], Any], effect: Effect) -> Future[Any]:
        future: Future[Any] = Future()
        self._in_flight[effect.key] = future
        self.begun.append(effect.key)
        self._check_company()
        return future

    def _wait(self, in_flight: Collection[Future[Any]], **_: Any) -> Any:
        """One of those on their way ends; which one is drawn."""
        assert set(in_flight) == set(self._in_flight.values())
        if self._may_be_slow and self._dice.random() < 0.2:
            return SimpleNamespace(done=set())
        key = self._dice.choice(sorted(self._in_flight))
        future = self._in_flight[key]
        try:
            self._send(self.planned[key])
            future.set_result(None)
        except DeliveryError as error:
            self.counted[key] += 1
            future.set_exception(error)
        del self._in_flight[key]
        return SimpleNamespace(done={future})

    def _send(self, effect: Planned | Effect) -> None:
        one = self.planned[effect.key]
        if self._deliveries_left == 0 or one.nature == "poison":
            raise Died
        if self._deliveries_left is not None:
            self._deliveries_left -= 1
        if one.nature in ("refused", "failing"):
            raise DeliveryError("no", permanent=one.nature == "refused")
        self.arrived.append(one.key)
        if one.nature == "uncertain" and self.arrived.count(one.key) == 1:
            raise DeliveryError("no answer", uncertain=True)

    def _settle(self, effect: Effect, result: Any) -> None:
        """Nothing to record."""

    # what must hold

    def _check_company(self) -> None:
        """The core's own, and suspects, are alone on their way."""
        sending = self._rows("status='sending'", "kind, tries_alone")
        assert len(sending) <= SIDE_BY_SIDE
        lonely = [kind for kind, tries in sending if kind.startswith("pollctl.") or tries is not None]
        assert not lonely or len(sending) == 1, f"{lonely} in the company of {sending}"

    def check(self) -> None:
        """After any pass: attempts count against those to blame, nobody is given up without reason, lanes are in order."""
        for key, status, counts, kind in self._rows(
            "status<>'sending'", "key, status, attempts - attempts_cut_off, kind"
        ):
            one = self.planned[key]
            if status == "delivered":
                assert key in self.arrived
                continue
            assert counts == self.counted[key], f"{key}: {counts} attempts count against it, not {self.counted[key]}"
            assert status != "unknown" or kind == "shout"
            is_spent = counts >= MAX_ATTEMPTS and kind not in KINDS.tireless
            assert (status == "dead") <= (is_spent or one.nature == "refused"), f"{key} is given up"
            assert not is_spent or status in ("dead", "unknown"), f"{key} should be given up"
        for lane in {one.lane or one.key for one in self.planned.values()}:
            queued = [one.key for one in self.planned.values() if (one.lane or one.key) == lane]
            begun = list(dict.fromkeys(key for key in self.begun if key in queued))
            assert begun == queued[: len(begun)], f"lane {lane} is out of order"
        for key, begun_before in self._begun_when_cut.items():
            if self.planned[key].kind == "shout":
                assert self.begun.count(key) == begun_before, f"{key} must not be repeated"

    def status(self, key: str) -> str:
        """Of one effect."""
        ((status,),) = self._rows("key=?", "status", key)
        return str(status)

    @property
    def open_lanes(self) -> set[str]:
        """Lanes that still have something to send."""
        return {lane for (lane,) in self._rows("status IN ('pending', 'sending')", "lane")}

    def _rows(self, where: str, columns: str = "key", *values: Any) -> list[Any]:
        return self._db.conn.execute(f"SELECT {columns} FROM outbox WHERE {where} ORDER BY id", values).fetchall()
