"""A database of stockx_ops in memory, and batches that are loaded, decided and applied to it."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from plugins.stockx_ops.place import NOON, at
from sqlite_utils import Database

from pollctl import Secret
from pollctl_stockx_ops.decide import decide
from pollctl_stockx_ops.migrations import migrations
from pollctl_stockx_ops.model import Batch, Decision, Response, Settings
from pollctl_stockx_ops.store import due
from pollctl_stockx_ops.store.apply import apply
from pollctl_stockx_ops.store.load import load

V2, OPERATIONS = Settings(), Settings(dialect="operations")


class Message(NamedTuple):
    """What people are told."""

    title: str
    body: str
    to: list[str]
    level: str


class RecordingRun:
    """The part of a pass that ``load`` and ``apply`` see: it keeps what they ask for."""

    def __init__(self) -> None:
        self.settings = OPERATIONS
        self.addresses: Sequence[Secret] = ()
        self.now = NOON
        self.timezone = ZoneInfo("UTC")
        self.host = "shop.example"
        self.messages: dict[str, Message] = {}
        self.stats: Counter[str] = Counter()
        self.holds: dict[str, Any] = {}

    def tell(self, key: str, title: str, body: str, *, to: Sequence[Secret], level: str) -> None:
        self.messages.setdefault(key, Message(title, body, [address.reveal() for address in to], level))

    def count(self, **numbers: int) -> None:
        self.stats.update(numbers)

    def hold(self, upstream: str, until: Any) -> None:
        self.holds[upstream] = until


class World:
    """A database of stockx_ops, and batches that are loaded, decided and applied to it."""

    def __init__(self) -> None:
        self.db = Database(memory=True)
        weakref.finalize(self, self.db.close)
        self.db.execute("PRAGMA foreign_keys=ON")
        self.db.execute("CREATE TABLE runs (plugin TEXT, started_at TEXT, stats TEXT)")
        migrations.apply(self.db)
        self.run: Any = RecordingRun()
        self.account("anna")

    def account(self, user: str, **columns: Any) -> None:
        self.db.table("stockx_accounts").insert({"user_id": user, **columns})

    def job(self, job_id: str, **columns: Any) -> None:
        row = {"id": job_id, "user_id": "anna", "job_type": "create_listing", "stockx_operation_id": f"op-{job_id}"}
        listed = {"stockx_listing_id": f"listing-{job_id}", "started_at": at(-60)}
        self.db.table("stockx_batch_jobs").insert({**row, **listed, **columns})

    def decide_batch(self, batch: Batch, seconds: float = 0) -> Sequence[Decision]:
        self.run.now = NOON + timedelta(seconds=seconds)
        with self.db.atomic():
            decisions = decide(load(self.db, batch, self.run), batch, self.run.now, self.run.settings)
            apply(self.db, decisions, self.run)
        return decisions

    def answer(self, job_id: str, /, seconds: float = 0, attempt: int = 1, **facts: Any) -> Sequence[Decision]:
        response = Response(**{"job_id": job_id, "attempt": attempt, "connection": 1, "status": 200, **facts})
        return self.decide_batch(Batch(responses=[response]), seconds)

    def chosen(self, seconds: float = 0, settings: Settings = V2) -> list[str]:
        return [job.job_id for job in due.due_jobs(self.db, NOON + timedelta(seconds=seconds), settings)]

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()
