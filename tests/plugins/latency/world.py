"""A database of latency in memory, and rounds that are loaded, decided and applied to it."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from plugins.latency.values import NOON, measurement_of
from sqlite_utils import Database

from pollctl import Secret, to_text
from pollctl_latency.decide import decide
from pollctl_latency.migrations import migrations
from pollctl_latency.model import Decision, Round, Settings
from pollctl_latency.store.apply import apply
from pollctl_latency.store.load import load


class Message(NamedTuple):
    """What people are told."""

    key: str
    title: str
    body: str
    to: list[str]
    level: str


class RecordingRun:
    """The part of a pass that ``apply`` sees: it keeps what it asks for."""

    def __init__(self, db: Database) -> None:
        self.messages: list[Message] = []
        self.stats: Counter[str] = Counter()
        self.now = NOON
        self.timezone = ZoneInfo("UTC")
        self.host = "probe.example"

    def tell(self, key: str, title: str, body: str, *, to: Sequence[Secret], level: str) -> None:
        if key not in [known.key for known in self.messages]:
            self.messages.append(Message(key, title, body, [address.reveal() for address in to], level))

    def count(self, **numbers: int) -> None:
        self.stats.update(numbers)


class World:
    """A database of latency, and rounds that are loaded, decided and applied to it."""

    def __init__(self) -> None:
        self.db = Database(memory=True)
        weakref.finalize(self, self.db.close)
        self.db.execute("PRAGMA foreign_keys=ON")
        migrations.apply(self.db)
        self.run: Any = RecordingRun(self.db)
        self.settings = Settings()

    def add_job(self, **columns: Any) -> int:
        row = {"target": "192.0.2.7", "started_at": to_text(NOON), **columns}
        return int(str(self.db.table("latency_jobs").insert(row).last_pk))

    def decide_round(self, batch: Round, now: datetime = NOON) -> Sequence[Decision]:
        decisions = decide(load(self.db, batch), batch, now, self.settings)
        self.run.now = now
        with self.db.atomic():
            apply(self.db, decisions, self.run)
        return decisions

    def sample(
        self,
        job_id: int,
        outcomes: Sequence[float | str],
        *,
        every: int = 60,
        causes: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Decide one round per outcome: a number is a success, text is a status, whose cause *causes* may name by place."""
        (taken,) = self.db.execute("SELECT count(*) FROM latency_samples WHERE job_id=?", [job_id]).fetchone()
        for place, outcome in enumerate(outcomes, start=taken):
            at = NOON + timedelta(seconds=place * every)
            measured = measurement_of(job_id, outcome, at)
            if measured.reason and place in causes:
                measured = replace(measured, reason=causes[place])
            self.decide_round(Round(measurements=[measured]), at)

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()
