"""What a pass of soc_sections costs without the network, against the bare work that nobody can spare.

    python benchmarks/soc_sections.py [ROUNDS]

A pass over NB, NK and CM with 16,000 known sections, in turns with: parsing the three answers, reading the known sections,
one bare set comparison, and writing the same rows by executemany. Exits 1 when a budget is exceeded.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlite_utils import Database

from pollctl import Answer, Request, to_text
from pollctl.store import database as core_store
from pollctl_soc_sections import decide, fetch, store
from pollctl_soc_sections.fake import FakeSoc
from pollctl_soc_sections.migrations import migrations
from pollctl_soc_sections.model import Poll, Settings

SIZES = {"NB": 12_000, "NK": 2_500, "CM": 1_500}
CHANGED = 40
"""Sections that open, and as many that close, from one pass to the next; a busy minute of registration."""
PASS_BUDGET = 1.5
MEMORY_BUDGET_MB = 250
TERM = "92026"


class Upstream:
    """The part of a pass that fetch and apply see: answers that are there already, and ears for the rest."""

    plugin = "soc_sections"
    id = "benchmark"
    timezone = ZoneInfo("America/New_York")
    remaining = 50.0
    settings = Settings(campuses=tuple(SIZES), catalogue_every=timedelta(days=365))  # type: ignore[arg-type]

    def __init__(self) -> None:
        self.now = datetime(2026, 8, 3, 16, tzinfo=UTC)
        self.bodies: dict[str, bytes] = {}
        self.effects = 0

    def get_many(self, requests: Iterable[Request], *, concurrency: int) -> Iterator[Answer]:
        """Answer each request at once."""
        del concurrency
        for request in requests:
            page = "courses" if "courses.json" in request.url else request.tag.campus
            body = self.bodies[page if page != "courses" else f"courses {request.tag.campus}"]
            yield Answer(request=request, status=200, body=body, started_at=self.now, elapsed_ms=0)

    def held_until(self, _: str) -> None:
        """Nothing is held."""

    def reached(self, _: str) -> None:
        """All is well."""

    def failed(self, target: str, why: str) -> None:
        """Nothing may fail."""
        raise AssertionError(f"{target}: {why}")

    def effect(self, *_: Any, **__: Any) -> None:
        """Count effects."""
        self.effects += 1

    def count(self, **_: int) -> None:
        """Nothing to keep."""


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print(f"{platform.platform()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    is_within = _passes(rounds)
    is_within &= _memory()
    return 0 if is_within else 1


def _passes(rounds: int) -> bool:
    soc, run, db = FakeSoc(SIZES), Upstream(), _database()
    for campus in SIZES:
        run.bodies[f"courses {campus}"], run.bodies[campus] = soc.catalogue(campus), soc.answer(campus)
    _pass(run, db)
    ours, bare, same, writes = [], [], [], 0
    for turn in range(rounds):
        _change(soc, run, turn)
        rows = _rows_to_come(run, db)
        bare.append(_bare(run, db, rows))
        ours.append(_timed(lambda: _pass(run, db)))
        _pass(run, db)  # the second miss closes what is missing
        _pass(run, db)  # and now everything agrees
        same.append(_timed(lambda: _pass(run, db)))
        writes = _writes(db, lambda: _pass(run, db))
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    print(f"known sections: {sum(SIZES.values())}; {CHANGED} open and {CHANGED} are missed in each campus")
    print(f"the bare work:               median {statistics.median(bare) * 1000:6.2f} ms")
    print(
        f"a pass:                      median {statistics.median(ours) * 1000:6.2f} ms, {ratio:.2f} x  (budget {PASS_BUDGET})"
    )
    print(f"the same answers once more:  median {statistics.median(same) * 1000:6.2f} ms, "
          f"{statistics.median(a / b for a, b in zip(same, bare, strict=True)):.2f} x")  # fmt: skip
    print(f"SQL writes when nothing changed: {writes / len(SIZES):g} a campus  (budget 3)")
    return ratio <= PASS_BUDGET and writes <= 3 * len(SIZES)


def _database() -> Any:
    db = Database(sqlite3.connect(":memory:", isolation_level=None))
    core_store.migrate(db, [migrations])
    return db


def _pass(run: Upstream, db: Any) -> None:
    run.now += timedelta(minutes=1)
    for batch in fetch.batches(run, db):  # type: ignore[arg-type]
        with core_store.writing(db):
            state = store.load(db, batch, run)  # type: ignore[arg-type]
            decisions = decide.decide(state, batch, run.now, run.settings)
            store.apply(db, decisions, run)  # type: ignore[arg-type]


def _change(soc: FakeSoc, run: Upstream, turn: int) -> None:
    for campus in SIZES:
        before = sorted(soc.open_sections(campus))
        full = sorted({section.index_number for section in soc.sections[campus]}.difference(before))
        step = len(before) // CHANGED
        soc.set_open(campus, {*before, *full[:CHANGED]}.difference(before[turn % step :: step][:CHANGED]))
        run.bodies[campus] = soc.answer(campus)


Rows = dict[str, tuple[list[Any], list[Any], list[Any], list[Any]]]


def _rows_to_come(run: Upstream, db: Any) -> Rows:
    """The rows that the next pass will write: openings, misses, their events, and the poll."""
    found: Rows = {}
    at = to_text(run.now + timedelta(minutes=1))
    for batch in fetch.batches(run, db):  # type: ignore[arg-type]
        assert isinstance(batch, Poll)
        state = store.load(db, batch, run)  # type: ignore[arg-type]
        key = (batch.term, batch.campus)
        opened = [(*key, index) for index in sorted(batch.listed & state.closed)]
        missed = [(*key, index) for index in sorted(state.open - batch.listed)]
        back = [(*key, index) for index in sorted(batch.listed & state.misses.keys())]
        events = [(*row, "OPEN", "CLOSED", 1, 0, at, f"bare {at} {row}", "benchmark") for row in opened]
        found[batch.campus] = opened, missed, back, events
    return found


def _bare(run: Upstream, db: Any, rows: Rows) -> float:
    """Seconds for the work that nobody can spare; what it writes is taken back, which does not count."""
    seconds = 0.0
    for campus in SIZES:
        began = time.perf_counter()
        listed = set(msgspec.json.decode(run.bodies[campus], type=list[str]))
        with core_store.writing(db):
            db.conn.execute("SAVEPOINT bare")
            known = db.conn.execute(
                "SELECT index_number, status FROM soc_sections WHERE term = ? AND campus = ?", (TERM, campus)
            ).fetchall()
            changed = listed.symmetric_difference(index for index, status in known if status == "OPEN")
            assert changed
            _write_bare(db, campus, to_text(run.now), rows[campus])
            seconds += time.perf_counter() - began
            db.conn.execute("ROLLBACK TO bare")
    return seconds


def _write_bare(db: Any, campus: str, at: str, rows: Sequence[list[Any]]) -> None:
    where = "WHERE term = ? AND campus = ? AND index_number = ?"
    opened, missed, back, events = rows
    db.conn.executemany(f"UPDATE soc_sections SET status = 'OPEN', changed_at = '{at}' {where}", opened)
    db.conn.executemany(f"UPDATE soc_sections SET misses = misses + 1 {where}", missed)
    db.conn.executemany(f"UPDATE soc_sections SET misses = 0 {where}", back)
    db.conn.executemany(
        "INSERT INTO soc_status_events (term, campus, index_number, status, status_before, seat_delta, episode, "
        "event_at, dedupe_key, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        events,
    )
    payload = "{" + " " * 250 + "}"
    db.conn.executemany(
        "INSERT INTO soc_open_events (term, campus, index_number, episode, status_before, seat_delta, event_at, "
        "dedupe_key, trace_id, payload) VALUES (?, ?, ?, ?, 'CLOSED', 1, ?, ?, 'bare', ?)",
        [(*row[:3], 1_000_000, at, row[8], payload) for row in events],
    )
    db.conn.executemany(
        "INSERT INTO soc_polls (term, campus, polled_at, verdict, reason, run_id) VALUES (?, ?, ?, 'accepted', 'bare', 'x')",
        [(TERM, campus, at)],
    )
    db.conn.executemany(
        "UPDATE soc_campuses SET polls = polls + 1, last_poll_at = ? WHERE term = ? AND campus = ?",
        [(at, TERM, campus)],
    )


def _writes(db: Any, call: Callable[[], None]) -> int:
    seen: list[str] = []
    db.conn.set_trace_callback(seen.append)
    call()
    db.conn.set_trace_callback(None)
    return sum(statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "REPLACE")) for statement in seen)


def _timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


_READ = """
import re, sys
from pollctl_soc_sections import client
body = sys.stdin.buffer.read()
found = READ
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
_READERS = {
    "read as the plugin does": 'client.read_sections(body, "NB")',
    "json.loads": "__import__('json').loads(body)",
    "not read at all": "None",
}


def _memory() -> bool:
    """The peak of a process that reads a whole catalogue, beside one that reads it with json.loads."""
    body = FakeSoc().catalogue("NB")
    odd = body.replace(b'"unitNotes": ""', b'"unitNotes": "[ see {"', 1)
    print(f"courses.json of {len(body) / 1e6:.1f} MB, peak of a process of its own (budget {MEMORY_BUDGET_MB} MB):")
    peaks = []
    for name, script in _READERS.items():
        for kind, sent in (("", body), (", brackets in a text", odd)):
            done = subprocess.run(
                [sys.executable, "-c", _READ.replace("READ", script, 1)], input=sent, capture_output=True, check=True
            )
            peaks.append(int(done.stdout) / 1024)
            print(f"  {name + kind:44} {peaks[-1]:6.0f} MB")
    peaks = [*peaks[:2], _whole_pass()]
    print(f"  {'a whole pass: download, three campuses':44} {peaks[-1]:6.0f} MB")
    return max(peaks) < MEMORY_BUDGET_MB


_PASS = """
import re
from pollctl.cli import start
code = start(["run", "soc_sections"])
assert code == 0
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def _whole_pass() -> float:
    """The peak of a process that reads three catalogues of 21 MB side by side, and polls."""
    campuses = ("NB", "NK", "CM")
    with tempfile.TemporaryDirectory() as folder, FakeSoc(dict.fromkeys(campuses, 12_000)) as soc:
        for campus in campuses:
            soc.catalogue(campus)
        section = f'[plugins.soc_sections]\nbase_url = "{soc.url}"\ncampuses = {list(campuses)}\n'
        (Path(folder) / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{section}')
        done = subprocess.run([sys.executable, "-c", _PASS], cwd=folder, capture_output=True, check=True)
    return int(done.stdout.split()[-1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
