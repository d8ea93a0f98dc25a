"""What the tests of latency share: a migrated database, and a pass small enough to see through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlite_utils import Database

from pollctl import to_text
from pollctl_latency import decide
from pollctl_latency.migrations import migrations
from pollctl_latency.model import Decision, Reading, Round, Settings
from pollctl_latency.store import apply as store

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)


class Ledger:
    """The part of a pass that ``apply`` and ``deliver`` see: it keeps what they ask for."""

    def __init__(self, db: Database) -> None:
        self.effects: list[tuple[str, str, Any, str]] = []
        self.stats: Counter[str] = Counter()
        self.notified: list[tuple[str, str, str, str]] = []
        self._db = db

    def effect(self, kind: str, key: str, payload: Any, *, lane: str = "") -> None:
        if key not in [known for _, known, _, _ in self.effects]:
            self.effects.append((kind, key, payload, lane))

    def count(self, **numbers: int) -> None:
        self.stats.update(numbers)

    @contextmanager
    def reading(self) -> Iterator[Database]:
        yield self._db

    def notify(self, url: str, *, title: str, body: str, key: str) -> None:
        self.notified.append((url, title, body, key))


class World:
    """A database of latency, and rounds that are loaded, decided and applied to it."""

    def __init__(self) -> None:
        self.db = Database(memory=True)
        self.db.execute("PRAGMA foreign_keys=ON")
        migrations.apply(self.db)
        self.run: Any = Ledger(self.db)
        self.settings = Settings()

    def add_job(self, **columns: Any) -> int:
        row = {"target": "192.0.2.7", "started_at": to_text(NOON), **columns}
        return int(str(self.db.table("latency_jobs").insert(row).last_pk))

    def play(self, batch: Round, now: datetime = NOON) -> Sequence[Decision]:
        decisions = decide.decide(store.load(self.db, batch), batch, now, self.settings)
        with self.db.atomic():
            store.apply(self.db, decisions, self.run)
        return decisions

    def sample(self, job_id: int, outcomes: Sequence[float | str], *, every: int = 60) -> None:
        """Play one round per outcome: a number is a success, text is a status."""
        (taken,) = self.db.execute("SELECT count(*) FROM latency_samples WHERE job_id=?", [job_id]).fetchone()
        for place, outcome in enumerate(outcomes, start=taken):
            reading = outcome_of(job_id, outcome, NOON + timedelta(seconds=place * every))
            self.play(Round(readings=[reading]))

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()


def outcome_of(job_id: int, outcome: float | str, at: datetime) -> Reading:
    if isinstance(outcome, str):
        return Reading(job_id=job_id, status=outcome, started_at=at, why=outcome)  # type: ignore[arg-type]
    return Reading(job_id=job_id, status="success", started_at=at, rtt_ms=outcome)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.db.close()
