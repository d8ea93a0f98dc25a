"""A database of latency in memory, and rounds that are loaded, decided and applied to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from plugins.latency.values import NOON, measurement_of
from sqlite_utils import Database

from pollctl import to_text
from pollctl_latency.decide import decide
from pollctl_latency.migrations import migrations
from pollctl_latency.model import Decision, Round, Settings
from pollctl_latency.store.apply import apply
from pollctl_latency.store.load import load


class RecordingRun:
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
        self.run: Any = RecordingRun(self.db)
        self.settings = Settings()

    def add_job(self, **columns: Any) -> int:
        row = {"target": "192.0.2.7", "started_at": to_text(NOON), **columns}
        return int(str(self.db.table("latency_jobs").insert(row).last_pk))

    def decide_round(self, batch: Round, now: datetime = NOON) -> Sequence[Decision]:
        decisions = decide(load(self.db, batch), batch, now, self.settings)
        with self.db.atomic():
            apply(self.db, decisions, self.run)
        return decisions

    def sample(self, job_id: int, outcomes: Sequence[float | str], *, every: int = 60) -> None:
        """Decide one round per outcome: a number is a success, text is a status."""
        (taken,) = self.db.execute("SELECT count(*) FROM latency_samples WHERE job_id=?", [job_id]).fetchone()
        for place, outcome in enumerate(outcomes, start=taken):
            measured = measurement_of(job_id, outcome, NOON + timedelta(seconds=place * every))
            self.decide_round(Round(measurements=[measured]))

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()
