"""What latency costs: applying samples against a bare `executemany` of the same rows, the memory of a large pass, and a round.

    python benchmarks/latency.py [ROUNDS]

Each round measures both sides in turn in a database of its own, in processor time; the ratio is taken round by round. The bare
statement writes all columns of the same rows into the same table with its indices,
in the order in which answers come: any, within a round of all jobs.
"""

from __future__ import annotations

import json
import os
import platform
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pollctl import to_text
from pollctl.store import database
from pollctl_latency.fake import FakeApi
from pollctl_latency.migrations import migrations
from pollctl_latency.model import AddSample
from pollctl_latency.store.apply import apply

SAMPLES = 100_000
TARGETS = 10_000
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
INSERT = "INSERT INTO latency_samples VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    for jobs in (1_000, SAMPLES):
        ratios = [round_of(jobs) for _ in range(rounds)]
        print(
            f"{SAMPLES:,} samples of {jobs:,} jobs: apply / executemany of the same rows "
            f"{min(ratios):.2f} {statistics.median(ratios):.2f} {max(ratios):.2f} (min median max; at most 1.4)"
        )
    seconds, megabytes, samples = large_pass()
    print(f"a pass over {TARGETS:,} targets: {samples:,} samples, {seconds:.1f} s, {megabytes:.0f} MB (less than 150)")
    (alone_s, alone_mb), (among_s, among_mb) = (choice_of_due(jobs) for jobs in (TARGETS, 1_000_000))
    print(
        f"choosing {TARGETS:,} due jobs among 1,000,000 running ones: {among_s - alone_s:.3f} s and {among_mb - alone_mb:.0f} MB "
        f"more than the {alone_s:.3f} s and {alone_mb:.0f} MB for those alone (at most 0.1 s and 60 MB)"
    )


def round_of(jobs: int) -> float:
    """Time of apply as a multiple of the bare statement's."""
    dice = random.Random(1)
    decisions = [
        AddSample(
            job_id=job_id,
            sequence_number=sequence_number,
            status="success",
            rtt_ms=20.5,
            jitter_ms=0.5,
            recorded_at=START + timedelta(minutes=sequence_number),
            reason="answered in 20.5 ms",
        )
        for sequence_number in range(SAMPLES // jobs)
        for job_id in dice.sample(range(1, jobs + 1), jobs)
    ]
    rows = [
        (one.job_id, one.sequence_number, one.status, one.rtt_ms, one.jitter_ms, to_text(one.recorded_at), None)
        for one in decisions
    ]
    run: Any = SimpleNamespace(count=dict)
    applied = timed(jobs, lambda db: apply(db, decisions, run))
    bare = timed(jobs, lambda db: db.conn.executemany(INSERT, rows))
    return applied / bare


def timed(jobs: int, work: Any) -> float:
    """Seconds of processor time of *work* in one transaction, its commit included, on a database with *jobs* jobs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(database.open_to_write(Path(folder, "pollctl.db"), [migrations])) as db,
    ):
        with database.writing(db):
            add_jobs(db, jobs)
        began = time.process_time()
        with database.writing(db):
            work(db)
        return time.process_time() - began


def add_jobs(db: Any, jobs: int) -> None:
    db.conn.executemany(
        "INSERT INTO latency_jobs (target, probe, monitoring_mode, cadence_seconds, duration_seconds, status, started_at) "
        "VALUES (?, 'api', 'real_polling', 60, 3600, 'running', ?)",
        ((f"target-{number}", to_text(START)) for number in range(jobs)),
    )


def large_pass(more: str = "") -> tuple[float, float, int]:
    """Wall seconds, peak megabytes and samples of one pass as a process of its own, with *more* settings."""
    with tempfile.TemporaryDirectory() as name, FakeApi() as api:
        folder = Path(name)
        settings = (
            f'[plugins.latency]\nbase_url = "{api.url}"\nwindow = "0s"\n[pollctl]\ndatabase = "pollctl.db"\n{more}'
        )
        (folder / "pollctl.toml").write_text(settings)
        with closing(database.open_to_write(folder / "pollctl.db", [migrations])) as db, database.writing(db):
            add_jobs(db, TARGETS)
        environ = {**os.environ, "POLLCTL_NOW": to_text(START)}
        command = [sys.executable, "-m", "pollctl", "run", "latency", "--json"]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=True)
        seconds = time.perf_counter() - began
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return seconds, peak_kb / 1024, json.loads(done.stdout)["stats"]["samples"]


CHOICE = """
import resource, sys, time
from datetime import datetime
from sqlite_utils import Database
from pollctl_latency.fetch.rounds import select_jobs
from pollctl_latency.store.jobs import closed_jobs, jobs_in_turn, logins, next_turn

db, now = Database(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
began = time.perf_counter()
selected = select_jobs(jobs_in_turn(db, now), now, (), next_turn(db, now))
logins(db, [job.id for job in selected.due]), closed_jobs(db)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(selected.due))
"""


def choice_of_due(jobs: int) -> tuple[float, float]:
    """Seconds and peak megabytes of what a round reads where so many jobs run, ``TARGETS`` of them due; the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pollctl.db")
        with closing(database.open_to_write(path, [migrations])) as db, database.writing(db):
            add_jobs(db, jobs)
            db.execute(
                """UPDATE latency_jobs SET last_ping_at = strftime('%Y-%m-%dT%H:%M:%fZ', started_at,
                iif(id % ?, 30 + id % 29, 0) || ' seconds')""",
                [jobs // TARGETS],
            )
        command = [sys.executable, "-c", CHOICE, str(path), (START + timedelta(minutes=1)).isoformat()]
        said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(3)]
    assert {due for *_, due in said} == {str(TARGETS)}
    return min(float(seconds) for seconds, *_ in said), min(float(megabytes) for _, megabytes, _ in said)


if __name__ == "__main__":
    main()
