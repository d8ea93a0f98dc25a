"""What the rules cost: a thousand monitors with a hundred events each, and five hundred messages of the queue.

    python benchmarks/toilet_gap.py [ROUNDS]

Folding (load, decide, apply, in transactions of a hundred checks) is compared with reading and writing the same rows without
rules, by the same statements, in a database of the same kind. For the queue the requests to moto's server are counted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pollctl import HttpUrl, to_text
from pollctl.store import database as core_store
from pollctl_toilet_gap.decide import decide
from pollctl_toilet_gap.migrations import migrations
from pollctl_toilet_gap.model import Batch, DueCheck, Event, History, Monitor, Settings
from pollctl_toilet_gap.store.apply import apply
from pollctl_toilet_gap.store.load import load
from pollctl_toilet_gap.store.terms import terms_to_text

MONITORS, EVENTS, AT_ONCE = 1000, 100, 100
BEGINS = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW = BEGINS + timedelta(hours=10)
RECORDS = "status_check_record"


class Silent:
    """As much of a pass as apply needs."""

    id, now = "run", NOW
    settings: Settings

    def effect(self, *_: object, **__: object) -> None:
        """Queue nothing."""

    def count(self, **_: int) -> None:
        """Count nothing."""

    def log(self, _: str) -> None:
        """Say nothing."""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    found = [fold_round() for _ in range(rounds)]
    folds = [folded for folded, _, _ in found]
    print(f"{MONITORS} monitors with {EVENTS} events each, folded in {min(fold.wall for fold in folds):.2f} s")
    show("decide alone / folding", [decided.cpu / folded.cpu for folded, decided, _ in found])
    print("  folding / reading and writing the same rows without rules (at most 2):")
    show("  by the clock on the wall", [folded.wall / written.wall for folded, _, written in found])
    show("  by the time of the processor", [folded.cpu / written.cpu for folded, _, written in found])
    draining()


class Spent(NamedTuple):
    """Seconds on the wall and of the processor; on a busy machine only the second say much."""

    wall: float
    cpu: float


def spent() -> Spent:
    return Spent(time.perf_counter(), time.process_time())


def since(began: Spent) -> Spent:
    now = spent()
    return Spent(now.wall - began.wall, now.cpu - began.cpu)


def show(what: str, ratios: list[float]) -> None:
    print(f"  {what}: {min(ratios):.2f} {statistics.median(ratios):.2f} {max(ratios):.2f} (min median max)")


def settings() -> Settings:
    monitors = tuple(
        Monitor(name=f"m{number}", robot_id=f"r-{number}", timezone=ZoneInfo("UTC"), start="08:00", end="20:00")
        for number in range(MONITORS)
    )
    return Settings(event_service_url=HttpUrl("http://127.0.0.1:9"), monitors=monitors)


def database(folder: Path, name: str, run: Any) -> Any:
    """Checks that have begun, with nothing in them yet."""
    db = core_store.open_to_write(folder / name, [migrations])
    with core_store.writing(db):
        rows = [(number, f"m{number}", f"r-{number}") for number in range(MONITORS)]
        terms = terms_to_text(run.settings.monitors[0].terms)
        moments = [to_text(moment) for moment in (BEGINS, BEGINS + timedelta(hours=12), BEGINS, BEGINS)]
        db.conn.executemany(
            "INSERT INTO status_check (id, monitor, robot_id, local_date, phase, settings, planned_at, ends_at, created_at, "
            "updated_at) VALUES (? + 1, ?, ?, '2026-03-02', 'MONITORING', ?, ?, ?, ?, ?)",
            [(*row, terms, *moments) for row in rows],
        )
        until = to_text(BEGINS + timedelta(hours=2))
        db.conn.executemany(
            "INSERT INTO status_check_poller (status_check_id, since, until, opened_by) VALUES (? + 1, ?, ?, 'start')",
            [(number, to_text(BEGINS), until) for number in range(MONITORS)],
        )
    return db


def batches() -> list[Batch]:
    """A hundred visits of each resident in ten hours; some of the gaps between them are too long."""
    found = []
    for first in range(1, MONITORS + 1, AT_ONCE):
        histories = []
        for check in range(first, first + AT_ONCE):
            step = timedelta(seconds=200 + check % 7)
            moments = [BEGINS + number * step + (number >= 50) * timedelta(hours=3) for number in range(EVENTS)]
            events = [Event(f"{check}-{number}", at) for number, at in enumerate(moments)]
            histories.append(History(check_id=check, since=BEGINS - timedelta(hours=2), events=events[::-1]))
        due = [
            DueCheck(check_id=check, ends_at=BEGINS + timedelta(hours=12)) for check in range(first, first + AT_ONCE)
        ]
        found.append(Batch(due=due, histories=histories))
    return found


def fold_round() -> tuple[Spent, Spent, Spent]:
    """What folding took, decide as a part of it, and reading and writing the same rows."""
    run: Any = Silent()
    run.settings = settings()
    some = batches()
    with tempfile.TemporaryDirectory() as folder:
        ruled, plain = (database(Path(folder), name, run) for name in ("ruled.db", "plain.db"))
        folded, decided = fold(ruled, some, run)
        records = ruled.execute(f"SELECT * FROM {RECORDS} ORDER BY 1, 2").fetchall()
        windows = ruled.execute("SELECT since, until, opened_by, status_check_id FROM status_check_poller").fetchall()
        assert len(records) == MONITORS * EVENTS + MONITORS, "each event and one alarm each"
        written = read_and_write(plain, some, records, windows)
        assert plain.execute(f"SELECT * FROM {RECORDS} ORDER BY 1, 2").fetchall() == records
        ruled.close()
        plain.close()
    return folded, decided, written


def fold(db: Any, some: list[Batch], run: Any) -> tuple[Spent, Spent]:
    began, decided = spent(), Spent(0, 0)
    for batch in some:
        with core_store.writing(db):
            state = load(db, batch)
            before = spent()
            decisions = decide(state, batch, NOW, run.settings)
            decided = Spent(*(sum(parts) for parts in zip(decided, since(before), strict=True)))
            apply(db, decisions, run)
    return since(began), decided


def read_and_write(db: Any, some: list[Batch], records: list[Any], windows: list[Any]) -> Spent:
    size = len(records) // len(some)
    began = spent()
    for number, batch in enumerate(some):
        with core_store.writing(db):
            load(db, batch)
            rows = records[number * size : (number + 1) * size]
            marks = ",".join("?" * len(rows[0]))
            db.conn.executemany(f"INSERT INTO {RECORDS} VALUES ({marks}) ON CONFLICT DO NOTHING", rows)
            db.conn.executemany(
                "UPDATE status_check_poller SET since = ?, until = ?, opened_by = ? WHERE status_check_id = ?",
                windows[number * AT_ONCE : (number + 1) * AT_ONCE],
            )
    return since(began)


def draining() -> None:
    """Five hundred messages through moto's server, in a real pass; the requests are counted by the client that makes them."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import pytest
    from plugins.toilet_gap.place import PILOT
    from plugins.toilet_gap.sqs_server import AWS, Queue, count_calls, moto_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's server writes a line for each request

    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.settings import load as load_config
    from pollctl.passes.engine import run_pass
    from pollctl.plugin_host.discovery import find
    from pollctl_toilet_gap.fake import FakeEventService

    os.environ.update(AWS)
    with tempfile.TemporaryDirectory() as folder, moto_server() as url, FakeEventService() as service:
        queue = Queue(url, "status")
        queue.be_visible_after("600")  # moto needs 0.3 s for a receive from 500 messages, more on a busy machine
        service.push = queue.push
        path = Path(folder, "pollctl.toml")
        more = {"queue_url": queue.url, "endpoint_url": url, "queue_wait": "0s", "deadline": "300s"}
        path.write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{service.settings(PILOT, **more)}\n')
        config = load_config(path, os.environ)

        def a_pass(now: datetime) -> Any:
            os.environ["POLLCTL_NOW"] = to_text(now)
            with contextlib.redirect_stderr(sys.stdout):
                return run_pass(config, find("toilet_gap"), trigger="manual", stop=Stop())

        a_pass(BEGINS)
        queue.is_holding = True
        for number in range(500):
            service.visit("r-1", BEGINS + timedelta(seconds=1 + number))
        queue.release()
        with pytest.MonkeyPatch.context() as monkeypatch:
            calls = count_calls(monkeypatch)
            report = a_pass(BEGINS + timedelta(minutes=10))
        stats = report.stats
        print(
            f"500 messages: {dict(calls)} (at most 50 each), {stats['observed']} observed, {queue.size} left, {report.outcome}"
        )


if __name__ == "__main__":
    main()
