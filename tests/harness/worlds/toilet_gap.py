"""toilet_gap: a day with two visits, an alarm that is refused at first, and three more at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from plugin_package import clean_environment, write_settings
from worlds.world import PATIENCE, Rows, create_database, kept, put_back

from pollctl import from_text
from pollctl_toilet_gap.fake import FakeEventService, Fault
from pollctl_toilet_gap.migrations import migrations

DAY = datetime(2025, 11, 12, tzinfo=UTC)
PILOT: dict[str, object] = {"name": "pilot", "robot_id": "r-1", "timezone": "UTC", "start": "08:00", "end": "20:00"}
TIMES = ("08:00", "09:10", "11:06", "11:10", "12:30", "20:01")
VISITS = {1: "09:05", 4: "12:20"}
"""Which pass is the first to see a visit at which time."""
REFUSED = 2
"""The pass in which alarms are refused."""
QUESTIONS = {
    "checks": "SELECT id, monitor, local_date, phase, result, planned_at, ends_at FROM status_check ORDER BY id",
    "windows": "SELECT status_check_id, since, until, opened_by FROM status_check_poller ORDER BY 1",
    "records": 'SELECT status_check_id, "order", event_name, event_at, phase, result, incoming_event_id, reference_id '
    "FROM status_check_record ORDER BY 1, 2",
    "letters": "SELECT key, source, reason FROM status_check_dead_letter ORDER BY key",
    "missed": "SELECT monitor, local_date FROM status_check_missed ORDER BY 1, 2",
}


def at(time: str) -> datetime:
    return from_text(f"{DAY:%Y-%m-%d}T{time}:00Z")


class ToiletGapWorld:
    """One resident on one day; the history alone is read, as no queue is there."""

    name = "toilet_gap"
    moments: Sequence[datetime] = tuple(at(time) for time in TIMES)
    busiest = 5
    aliases: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._service = FakeEventService()
        self._service.__enter__()
        self._seen: set[int] = set()

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        write_settings(folder, PATIENCE, self._service.settings(PILOT))
        create_database(folder, migrations)
        return clean_environment(folder)

    def turn(self, step: int) -> None:
        self._service.now = self.moments[step]
        self._service.faults = {"post": Fault(status=503)} if step == REFUSED else {}
        if step in VISITS and step not in self._seen:
            self._seen.add(step)
            self._service.visit("r-1", at(VISITS[step]))

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            rows = {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}
        return {**rows, "posted": sorted((reference,) for reference in self._service.references)}

    def keep(self) -> object:
        return self._seen.copy(), kept(self._service, "subscriptions", "subscribed", "posted", "_history")

    def put_back(self, kept: object) -> None:
        assert isinstance(kept, tuple)
        self._seen = kept[0].copy()
        put_back(self._service, kept[1])

    def close(self) -> None:
        self._service.__exit__()
