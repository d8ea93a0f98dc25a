"""latency: a target goes down, another comes back, and jobs come to their ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plugin_package import clean_environment, write_settings
from worlds.world import PATIENCE, Rows, create_database

from pollctl import address_digest, to_text
from pollctl_latency.fake import LOST, FakeApi, Reply
from pollctl_latency.migrations import migrations

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BEFORE = 4
"""Probes of each job before the story: one less than make an outage or a recovery."""
UP = Reply(elapsed=20)
QUESTIONS = {
    "jobs": "SELECT id, target, status, alert_state, started_at, last_ping_at, completed_at, is_rolled_up, success, missed, "
    "system_error, rtt_avg_ms, loss_percent, outages, longest_streak, verdict FROM latency_jobs ORDER BY id",
    "samples": "SELECT job_id, sequence_number, status, rtt_ms, jitter_ms, recorded_at FROM latency_samples "
    "ORDER BY job_id, sequence_number",
    "rollups": "SELECT * FROM latency_rollups ORDER BY job_id, bucket_start",
    "alerts": "SELECT job_id, alert_type, triggered_at FROM latency_alerts ORDER BY job_id, triggered_at, alert_type",
}


class LatencyWorld:
    """The first pass raises an alert and a recovery, the second retries one, and in the others jobs are completed."""

    name = "latency"
    moments: Sequence[datetime] = tuple(START + minute * MINUTE for minute in range(4))
    busiest = 0
    aliases: Mapping[str, str]

    def __init__(self) -> None:
        self._api = FakeApi()
        self._api.__enter__()

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        env = clean_environment(folder)
        write_settings(folder, PATIENCE, f'[plugins.latency]\nbase_url = "{self._api.url}"\nwindow = "0s"')
        create_database(folder, migrations)
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            _add_job(db, "down", "missed", "ok", lasts=6, tell=[f"{sink_url}/crew", f"{sink_url}/flaky"])
            _add_job(db, "back", "success", "offline_alerted", lasts=5, tell=[f"{sink_url}/crew"])
            _add_job(db, "up", "success", "ok", lasts=4, tell=[f"{sink_url}/flaky"])
        self.aliases = {address_digest(f"{sink_url}/{path}"): path for path in ("crew", "flaky")}
        return env

    def turn(self, step: int) -> None:
        self._api.script.update({"down": [LOST], "back": [UP], "up": [UP]})

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            return {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}

    def keep(self) -> None:
        """Nothing: each pass is answered as its number says."""

    def put_back(self, kept: object) -> None:
        pass

    def close(self) -> None:
        self._api.__exit__()


def _add_job(
    db: sqlite3.Connection, target: str, status: str, alert_state: str, *, lasts: int, tell: Sequence[str]
) -> None:
    """A job that has run for four minutes, each with the same outcome; in all it runs for *lasts* minutes."""
    began = START - BEFORE * MINUTE
    job = db.execute(
        "INSERT INTO latency_jobs (target, probe, monitoring_mode, cadence_seconds, duration_seconds, status, alert_state, "
        "alert_offline, alert_recovery, started_at, last_ping_at) VALUES (?, 'api', 'real_polling', 60, ?, 'running', ?, 1, 1, "
        "?, ?)",
        (target, lasts * 60, alert_state, to_text(began), to_text(START - MINUTE)),
    ).lastrowid
    db.executemany(
        "INSERT INTO latency_samples (job_id, sequence_number, status, rtt_ms, recorded_at) VALUES (?, ?, ?, ?, ?)",
        [
            (job, number, status, 20.0 if status == "success" else None, to_text(began + number * MINUTE))
            for number in range(BEFORE)
        ],
    )
    db.executemany("INSERT INTO latency_notify (job_id, url) VALUES (?, ?)", [(job, url) for url in tell])
