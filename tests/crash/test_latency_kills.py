"""SIGKILL at random moments of latency passes that alert and complete: nothing lost, nothing doubled by key.

Each minute of the story one job that is down and one that is up begin, so that every pass in the thick of it samples a dozen
jobs, raises an alert and completes two jobs. In one world each pass is killed somewhere and then repeated; in the other
nothing is ever killed. Both must end alike. ``POLLCTL_KILLS`` sets how often it kills.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from campaign import figure, size
from place import Place, was_killed
from sink import Sink

from pollctl import to_text
from pollctl_latency.fake import LOST, FakeApi, Reply

KILLS = int(os.environ.get("POLLCTL_KILLS", size(40, 200)))
SEED = int(os.environ.get("POLLCTL_SEED", "4402"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LIFETIME_MINUTES = 7
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
UP = Reply(elapsed=20)


class World(Place):
    """One database, one upstream, one sink, and a clock that is set by hand."""

    def __init__(self, folder: Path, api: FakeApi, notified: Sink) -> None:
        super().__init__(folder)
        self._api = api
        self._notified = notified
        self.settings(f'[plugins.latency]\nbase_url = "{api.url}"\nwindow = "0s"')
        self.do("db", "migrate")

    def begin_jobs(self, minute: int) -> None:
        """Insert a job that is down and one that is up, as a program would."""
        with closing(sqlite3.connect(self.folder / "pollctl.db", timeout=20)) as db, db:
            for state, reply in (("down", LOST), ("up", UP)):
                target = f"{state}-{minute}"
                self._api.script[target] = [reply]
                job = db.execute(
                    "INSERT INTO latency_jobs (target, probe, monitoring_mode, cadence_seconds, duration_seconds, "
                    "status, alert_offline, alert_recovery, started_at) VALUES (?, 'api', 'real_polling', 60, ?, "
                    "'running', 1, 1, ?)",
                    (target, LIFETIME_MINUTES * 60, at(minute)),
                ).lastrowid
                url = f"{self._notified.json_url}/crew"
                db.execute("INSERT INTO latency_notify (job_id, url) VALUES (?, ?)", (job, url))

    def start_pass(self, minute: int) -> subprocess.Popen[str]:
        return self.popen("run", "latency", now=at(minute), stdout=subprocess.DEVNULL)

    def finish_pass(self, minute: int) -> None:
        """A whole pass as a process."""
        child = self.start_pass(minute)
        _, err = child.communicate(timeout=60)
        assert child.returncode == 0, err

    def is_at_work(self) -> bool:
        lock = self.folder / "pollctl.db.latency.lock"
        return lock.exists() and lock.stat().st_size > 0

    def rows(self) -> dict[str, list[Any]]:
        """All that must not depend on crashes."""
        questions = {
            "jobs": "SELECT id, target, status, alert_state, started_at, last_ping_at, completed_at, success, missed, "
            "system_error, loss_percent, outages, longest_streak, verdict FROM latency_jobs ORDER BY id",
            "samples": "SELECT job_id, sequence_number, status, rtt_ms, jitter_ms, recorded_at FROM latency_samples "
            "ORDER BY job_id, sequence_number",
            "rollups": "SELECT * FROM latency_rollups ORDER BY job_id, bucket_start",
            "alerts": "SELECT job_id, alert_type, triggered_at FROM latency_alerts ORDER BY job_id, triggered_at",
            # without the digests of addresses, which lead to another port in each world
            "effects": "SELECT substr(key, 1, length(key) - 13), kind, json_extract(payload, '$.title'), "
            "json_extract(payload, '$.body'), status FROM outbox "
            "ORDER BY 1, 3",
        }
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            return {name: db.execute(question).fetchall() for name, question in questions.items()}

    def ends(self) -> Counter[str]:
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as db:
            return Counter(outcome for (outcome,) in db.execute("SELECT outcome FROM runs"))


def at(minute: int) -> str:
    return to_text(START + timedelta(minutes=minute))


def kill_somewhere(child: subprocess.Popen[str], world: World, dice: random.Random, usual_s: float) -> bool:
    """Kill a pass: mostly once it is at work, sometimes at any moment since its start; answers whether it still lived."""
    if dice.random() < 0.8:
        while child.poll() is None and not world.is_at_work():
            time.sleep(0.0005)
        time.sleep(dice.uniform(0, usual_s * 0.8))
    else:
        time.sleep(dice.uniform(0, usual_s))
    return was_killed(child)


def test_killed_passes_end_like_undisturbed_ones(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    dice = random.Random(SEED)
    with FakeApi() as api, Sink() as notified, Sink() as quiet:
        disturbed, undisturbed = World(tmp_path / "killed", api, notified), World(tmp_path / "left", api, quiet)
        usual_s = 0.5
        minute = killed = 0
        while killed < KILLS:
            disturbed.begin_jobs(minute)
            for _ in range(3):
                killed += kill_somewhere(disturbed.start_pass(minute), disturbed, dice, usual_s)
            began = time.monotonic()
            disturbed.finish_pass(minute)
            usual_s = time.monotonic() - began
            undisturbed.begin_jobs(minute)
            undisturbed.do("run", "latency", now=at(minute))
            minute += 1
        assert disturbed.rows() == undisturbed.rows()
        effects = disturbed.rows()["effects"]
        assert {status for *_, status in effects} <= {"delivered"}
        told, told_quietly = ({key.rpartition(":")[0] for key in sink.keys} for sink in (notified, quiet))
        assert told == {key for key, *_ in effects} == told_quietly
        assert set(quiet.keys.values()) <= {1}
        outcomes = disturbed.ends()
        assert outcomes["crashed"] >= killed / 3, f"too few kills hit the pass itself: {outcomes}"
        repeats = sum(notified.keys.values()) - len(notified.keys)
        figure(f"latency: {killed} killed, {outcomes['crashed']} of them within a pass, {repeats} deliveries repeated")
