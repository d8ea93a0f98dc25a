"""SIGKILL at random moments of stockx_ops passes over 50 jobs: each job ends once, and is notified of once by key.

``POLLCTL_KILLS`` sets how many passes are killed; the seed is printed.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from campaign import size
from plugin_package import clean_environment, command, run_pollctl, write_settings
from sink import Sink

from pollctl import to_text
from pollctl_stockx_ops.fake import COMPLETED, OPEN, REFUSED, FakeStockX, Reply

KILLS = int(os.environ.get("POLLCTL_KILLS", size(25, 200)))
SEED = int(os.environ.get("POLLCTL_SEED", "1502"))
pytestmark = pytest.mark.timeout(1800)
JOBS = 50
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ENDS = (
    (COMPLETED, "COMPLETED"),
    (COMPLETED, "COMPLETED"),
    (Reply(state="failed", error="too low"), "FAILED"),
    (Reply(status=404), "FAILED"),
    (REFUSED, "FAILED"),
)


class World:
    """One database, one upstream, and a clock that goes on 20 seconds with each pass."""

    def __init__(self, folder: Path, upstream: FakeStockX, told: Sink, dice: random.Random) -> None:
        self.folder, self.upstream, self.dice = folder, upstream, dice
        self.env = {**clean_environment(folder), "TOKEN": "refresh-anna-start"}
        self.expected: dict[str, str] = {}
        self.passes = 0
        upstream.users["refresh-anna-start"] = "anna"
        write_settings(folder, upstream.settings(rate="1000/s"))
        url = f"{told.json_url}/crew"
        words = ("stockx-ops", "account", "connect", "anna", "--refresh-token-env", "TOKEN", "--notify", url)
        assert run_pollctl(folder, {**self.env, "POLLCTL_NOW": to_text(START)}, *words).returncode == 0

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "pollctl.db", timeout=20)) as db:
            return db.execute(sql).fetchall()

    def open_jobs(self) -> int:
        ((number,),) = self.rows("SELECT count(*) FROM stockx_batch_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')")
        return int(number)

    def add_jobs(self) -> None:
        """Insert 50 jobs that are due, as a program would; a third is asked about twice before it ends."""
        moment = to_text(START + timedelta(seconds=20 * self.passes - 20))
        first = len(self.expected)
        rows = []
        for number in range(first, first + JOBS):
            reply, end = ENDS[number % len(ENDS)]
            self.upstream.script[f"op-{number}"] = [OPEN, reply] if number % 3 == 0 else [reply]
            self.expected[f"job-{number:05}"] = end
            rows.append((f"job-{number:05}", f"op-{number}", f"listing-{number}", moment))
        with closing(sqlite3.connect(self.folder / "pollctl.db", timeout=20)) as db, db:
            db.executemany(
                "INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id, stockx_listing_id, "
                "started_at) VALUES (?, 'anna', 'create_listing', ?, ?, ?)",
                rows,
            )

    def start_pass(self) -> subprocess.Popen[bytes]:
        self.passes += 1
        now = to_text(START + timedelta(seconds=20 * self.passes))
        return subprocess.Popen(
            command("run", "stockx_ops"),
            cwd=self.folder,
            env={**self.env, "POLLCTL_NOW": now},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def whole_pass(self) -> float:
        began = time.monotonic()
        process = self.start_pass()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return time.monotonic() - began

    def kill_a_pass(self, longest: float) -> bool:
        """Kill a pass somewhere on its way; answers whether it was still under way."""
        process = self.start_pass()
        time.sleep(self.dice.uniform(0.1, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        return process.returncode == -signal.SIGKILL


def test_whenever_a_pass_is_killed_each_job_ends_once_and_is_told_once_by_key(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    with FakeStockX() as upstream, Sink() as told:
        world = World(tmp_path, upstream, told, random.Random(SEED))
        world.add_jobs()
        longest = world.whole_pass()
        killed = 0
        while killed < KILLS:
            if world.open_jobs() < JOBS // 5:
                world.add_jobs()
            killed += world.kill_a_pass(longest)
        crashed = world.rows("SELECT count(*) FROM runs WHERE outcome = 'crashed'")[0][0]
        for _ in range(10):
            world.whole_pass()
        check(world, told)
        cut = world.rows("SELECT count(*) FROM outbox WHERE attempts > 1")[0][0]
        print(
            f"{len(world.expected)} jobs, {killed} killed, {crashed} of them within a pass, {cut} deliveries repeated"
        )


def check(world: World, told: Sink) -> None:
    """Every job has the end that the upstream said, with one row for it, and every live listing was told of."""
    assert dict(world.rows("SELECT id, status FROM stockx_batch_jobs")) == world.expected
    history = world.rows("SELECT job_id, status FROM stockx_listing_history")
    assert len(history) == len(world.expected)
    assert dict(history) == world.expected
    live = {job_id for job_id, end in world.expected.items() if end == "COMPLETED"}
    assert {f"listing-{int(job_id[4:])}" for job_id in live} == {
        listing for (listing,) in world.rows("SELECT stockx_listing_id FROM stockx_listings WHERE status = 'ACTIVE'")
    }
    outbox = world.rows("SELECT key, status FROM outbox WHERE kind = 'listing_live'")
    assert {status for _, status in outbox} == {"delivered"}
    assert sorted(key.split(":")[1] for key, _ in outbox) == sorted(live)
    assert {key for key in told.keys if key.startswith("listing_live")} == {key for key, _ in outbox}
    processed = world.rows(
        "SELECT sum(stats ->> 'completed'), sum(stats ->> 'failed'), sum(stats ->> 'processed'),"
        " sum((stats ->> 'in_progress') + (stats ->> 'rate_limited') + (stats ->> 'timed_out') + (stats ->> 'partial'))"
        " FROM runs"
    )[0]
    assert processed[:2] == (len(live), len(world.expected) - len(live))
    assert processed[2] == processed[0] + processed[1] + processed[3]
    assert world.rows("PRAGMA integrity_check") == [("ok",)]
