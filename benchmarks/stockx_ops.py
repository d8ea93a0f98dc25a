"""What following operations costs: a pass over 50 jobs against its ideal, and choosing 50 of a million jobs.

    python benchmarks/stockx_ops.py [ROUNDS]

The ideal of a pass is what the server's 20 ms alone would allow: one job tries out the login, then the others go as many at
a time as the plugin chose. Beside it stands what as many bare threads take for the same requests of the same server, without
that first one. Choosing is compared with reading the same 50 rows by their keys, in the same database.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

from pollctl import to_text
from pollctl_stockx_ops.fake import FakeStockX, Reply
from pollctl_stockx_ops.fetch.poller import CONCURRENCY
from pollctl_stockx_ops.model import DueJob, Settings
from pollctl_stockx_ops.store import due

JOBS = 50
MANY = 1_000_000
DELAY_S = 0.02
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLAN: list[str] = []
LOOKUP = (
    "SELECT id, attempt, user_id, stockx_operation_id, stockx_listing_id, started_at, next_poll_at FROM stockx_batch_jobs "
    "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY started_at, id"
)
IDEAL_MS = (1 + ceil((JOBS - 1) / CONCURRENCY)) * DELAY_S * 1000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    passes, bare = zip(*(pass_round() for _ in range(rounds)), strict=True)
    print(f"{JOBS} jobs, 1000/s, a server of 20 ms, one job and then {CONCURRENCY} at a time: ideal {IDEAL_MS:.0f} ms")
    show("from the first request to the last answer / ideal", [asked / IDEAL_MS for asked, _ in passes])
    show("the whole pass, from its lock to its end / ideal", [whole / IDEAL_MS for _, whole in passes], 1.3)
    show("bare threads / ideal", [floor / IDEAL_MS for floor in bare])
    choosing(rounds)


def show(what: str, ratios: list[float], limit: float | None = None) -> None:
    bound = f"; at most {limit}" if limit else ""
    print(f"  {what}: {min(ratios):.2f} {statistics.median(ratios):.2f} {max(ratios):.2f} (min median max{bound})")


def pass_round() -> tuple[tuple[float, float], float]:
    """Milliseconds of one pass, of its asking and of all of it, and of bare threads right after."""
    with tempfile.TemporaryDirectory() as folder, FakeStockX(otherwise=Reply(state="completed", delay=DELAY_S)) as fake:
        place = Path(folder)
        (place / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{fake.settings(rate="1000/s")}\n')
        fake.users["refresh-anna"] = "anna"
        pollctl(place, "stockx-ops", "account", "connect", "anna", "--refresh-token-env", "TOKEN", second=0)
        insert(place / "pollctl.db", "warm", 1)  # whose pass refreshes the token and sums up yesterday
        pollctl(place, "run", "stockx_ops", second=60)
        insert(place / "pollctl.db", "j", JOBS)
        report = json.loads(pollctl(place, "run", "stockx_ops", "--json", second=80))
        assert report["stats"]["completed"] == JOBS, report
        with closing(sqlite3.connect(place / "pollctl.db")) as db:
            (token,) = db.execute("SELECT access_token FROM stockx_accounts").fetchone()
        asked = (fake.arrivals[-1] - fake.arrivals[-JOBS] + DELAY_S) * 1000
        return (asked, report["duration_ms"]), bare_ms(fake, token)


def bare_ms(fake: FakeStockX, token: str) -> float:
    address = fake.base_url.removeprefix("http://")
    local = threading.local()

    def ask(number: int) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(address)
        headers = {"x-api-key": fake.api_key, "Authorization": f"Bearer {token}"}
        local.connection.request("GET", f"/v2/selling/listings/L{number}/operations/op-{number}", headers=headers)
        assert local.connection.getresponse().read()

    began = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        list(executor.map(ask, range(JOBS)))
    return (time.perf_counter() - began) * 1000


def pollctl(place: Path, *words: str, second: int) -> str:
    env = {**os.environ, "TOKEN": "refresh-anna", "POLLCTL_NOW": to_text(START + timedelta(seconds=second))}
    done = subprocess.run(
        [sys.executable, "-m", "pollctl", *words], cwd=place, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def insert(path: Path, prefix: str, number: int) -> None:
    rows = [(f"{prefix}{n}", "anna", "update_listing", f"op-{n}", f"L{n}", to_text(START)) for n in range(number)]
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id, stockx_listing_id, started_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )


def choosing(rounds: int) -> None:
    """Choose among a million jobs, in worlds that differ in why the others are not chosen."""
    for world in ("most are over", "all are due", "most are too new", "most were just asked about"):
        with tempfile.TemporaryDirectory() as folder:
            db = million(Path(folder), world)
            ratios = [choose_once(db) for _ in range(rounds)]
            show(f"choosing {JOBS} of {MANY:,} jobs ({world}) / reading the same by their keys", ratios, 2.0)
            db.close()
    for row in PLAN:
        print(f"      {row}")


def choose_once(db: Any) -> float:
    """Time of choosing as a multiple of reading the rows that were chosen."""
    settings, now = Settings(), START + timedelta(minutes=10)
    chosen = [job.job_id for job in due.due_jobs(db, now, settings)]
    assert len(chosen) == JOBS
    keys = json.dumps(chosen)
    PLAN[:] = [
        row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {due.due_statement(db, now)}", due.due_values(now, settings))
    ]
    choosing = took(lambda: due.due_jobs(db, now, settings))
    return choosing / took(lambda: [DueJob(*row) for row in db.execute(LOOKUP, [keys])])


def took(call: Callable[[], Any], times: int = 50) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return time.perf_counter() - began


def million(folder: Path, world: str) -> Any:
    """A database of a million jobs of which at least 50 are due."""
    from sqlite_utils import Database

    from pollctl_stockx_ops.migrations import migrations

    db = Database(folder / "jobs.db")
    migrations.apply(db)
    db.execute("INSERT INTO stockx_accounts (user_id) VALUES ('anna')")
    now, early, new = START + timedelta(minutes=10), to_text(START), to_text(START + timedelta(minutes=9, seconds=55))

    def row(number: int) -> tuple[object, ...]:
        is_due = number % (MANY // JOBS) == 7
        moment = to_text(START + timedelta(milliseconds=number % 500_000))
        job = (f"job-{number:07}", "anna", "create_listing", f"op-{number}", f"L{number}")
        if world == "all are due":
            return (*job, moment, "PENDING", None)
        if world == "most are over":
            return (*job, moment, "PENDING" if is_due else "COMPLETED", None)
        if world == "most are too new":
            return (*job, early if is_due else new, "PENDING", None)
        return (*job, moment, "IN_PROGRESS", to_text(now if is_due else now + timedelta(seconds=5)))

    with db.atomic():
        db.conn.executemany(
            "INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id, stockx_listing_id, started_at, "
            "status, next_poll_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (row(number) for number in range(MANY)),
        )
    return db


if __name__ == "__main__":
    main()
