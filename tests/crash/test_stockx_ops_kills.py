"""SIGKILL at random moments of stockx_ops passes over 50 jobs: each job ends once, and is notified of once by key.

``POLLCTL_KILLS`` sets how many passes are killed; the seed is printed.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from campaign import figure, size
from place import Place, was_killed
from sink import Sink

from pollctl import to_text
from pollctl_stockx_ops.fake import COMPLETED, OPEN, REFUSED, FakeStockX, Reply

KILLS = int(os.environ.get("POLLCTL_KILLS", size(25, 200)))
SEED = int(os.environ.get("POLLCTL_SEED", "1502"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
JOBS = 50
SETTLED_AFTER = 90
"""Passes after the last kill, half an hour: what was cut off several times waits for up to that long."""
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ENTRIES = {"COMPLETED": "ACTIVE"}
"""What the history says of an end: the status of the listing."""
ENDS = (
    (COMPLETED, "COMPLETED"),
    (COMPLETED, "COMPLETED"),
    (Reply(state="failed", error="too low"), "FAILED"),
    (Reply(status=404), "FAILED"),
    (REFUSED, "FAILED"),
)


class World(Place):
    """One database, one upstream, and a clock that goes on 20 seconds with each pass."""

    def __init__(self, folder: Path, upstream: FakeStockX, told: Sink, dice: random.Random) -> None:
        super().__init__(folder, TOKEN="refresh-anna-start")
        self.upstream, self.dice = upstream, dice
        self.expected: dict[str, str] = {}
        self.passes = 0
        upstream.users["refresh-anna-start"] = "anna"
        self.settings(upstream.settings(rate="1000/s"))
        url = f"{told.json_url}/crew"
        words = ("stockx-ops", "account", "connect", "anna", "--refresh-token-env", "TOKEN", "--notify", url)
        self.do(*words)

    def env_at(self, now: str) -> dict[str, str]:
        """Where nothing else is said the clock stands as far as the passes have gone."""
        return super().env_at(now or to_text(START + timedelta(seconds=20 * self.passes)))

    def open_jobs(self) -> int:
        ((number,),) = self.sql("SELECT count(*) FROM stockx_batch_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')")
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

    def start_pass(self) -> subprocess.Popen[str]:
        self.passes += 1
        return self.popen("run", "stockx_ops", stdout=subprocess.DEVNULL)

    def timed_pass(self) -> float:
        """A whole pass as a process; answers how long it took."""
        began = time.monotonic()
        process = self.start_pass()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return time.monotonic() - began

    def settle(self) -> None:
        """Run passes until all that waits is delivered; what was cut off with others is tried alone, and later each time."""
        for _ in range(SETTLED_AFTER):
            self.passes += 1
            self.do("run", "stockx_ops")
            if self.sql("SELECT count(*) FROM outbox WHERE status != 'delivered'") == [(0,)] and not self.open_jobs():
                return

    def kill_a_pass(self, longest: float) -> bool:
        """Kill a pass somewhere on its way; answers whether it was still under way."""
        process = self.start_pass()
        time.sleep(self.dice.uniform(0.1, longest))
        return was_killed(process)


def test_whenever_a_pass_is_killed_each_job_ends_once_and_is_told_once_by_key(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    with FakeStockX() as upstream, Sink() as told:
        world = World(tmp_path, upstream, told, random.Random(SEED))
        world.add_jobs()
        longest = world.timed_pass()
        killed = 0
        while killed < KILLS:
            if world.open_jobs() < JOBS // 5:
                world.add_jobs()
            killed += world.kill_a_pass(longest)
        crashed = world.sql("SELECT count(*) FROM runs WHERE outcome = 'crashed'")[0][0]
        world.settle()
        check(world, told)
        cut = world.sql("SELECT count(*) FROM outbox WHERE attempts > 1")[0][0]
        figure(
            f"stockx_ops: {len(world.expected)} jobs, "
            f"{killed} killed, {crashed} of them within a pass, {cut} deliveries repeated"
        )


def check(world: World, told: Sink) -> None:
    """Every job has the end that the upstream said, with one row for it, and every live listing was told of."""
    assert dict(world.sql("SELECT id, status FROM stockx_batch_jobs")) == world.expected
    assert world.sql("SELECT count(*) FROM stockx_batch_jobs WHERE completed_at IS NULL") == [(0,)]
    history = world.sql("SELECT job_id, status FROM stockx_listing_history")
    assert len(history) == len(world.expected)
    assert dict(history) == {job_id: ENTRIES.get(end, end) for job_id, end in world.expected.items()}
    live = {job_id for job_id, end in world.expected.items() if end == "COMPLETED"}
    assert {f"listing-{int(job_id[4:])}" for job_id in live} == {
        listing for (listing,) in world.sql("SELECT stockx_listing_id FROM stockx_listings WHERE status = 'ACTIVE'")
    }
    for news, jobs in (("listing_live", live), ("job_failed", set(world.expected) - live)):
        outbox = world.sql("SELECT key, status FROM outbox WHERE key GLOB ? || ':*'", [news])
        assert {status for _, status in outbox} == {"delivered"}
        assert sorted(key.split(":")[1] for key, _ in outbox) == sorted(jobs)
        assert {key for key in told.keys if key.startswith(news)} == {key for key, _ in outbox}
    processed = world.sql(
        "SELECT sum(stats ->> 'completed'), sum(stats ->> 'failed'), sum(stats ->> 'processed'),"
        " sum((stats ->> 'in_progress') + (stats ->> 'rate_limited') + (stats ->> 'timed_out') + (stats ->> 'partial'))"
        " FROM runs"
    )[0]
    assert processed[:2] == (len(live), len(world.expected) - len(live))
    assert processed[2] == processed[0] + processed[1] + processed[3]
    assert world.sql("PRAGMA integrity_check") == [("ok",)]
