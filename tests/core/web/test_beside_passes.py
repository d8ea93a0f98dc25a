"""It never disturbs a pass, and a pass never breaks it (rule 9)."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from core.web.served import Served, serving
from full_database import lay_out
from plugin_package import clean_environment

pytest.importorskip("datasette")
pytestmark = pytest.mark.slow

PAGES = (
    "/",
    "/pollctl",
    "/pollctl/runs",
    "/pollctl/runs.json?_facet=plugin",
    "/pollctl/pollctl-durations.json",
    "/pollctl/outbox.csv",
)
KILLED = """
import os, signal, sqlite3, sys
db = sqlite3.connect("pollctl.db", isolation_level=None)
db.execute(f"PRAGMA journal_mode={sys.argv[1]}")
db.execute("PRAGMA cache_size=1")
db.execute("BEGIN IMMEDIATE")
db.execute("CREATE TABLE half (word TEXT)")
db.executemany("INSERT INTO half VALUES (?)", [["x" * 3000] for _ in range(400)])
db.execute("UPDATE runs SET host = 'half'")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A pass that is killed when half of what it wrote is in the file."""
FOREVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n, runs"


ENDLESS = "SELECT instr(hex(zeroblob(4000000)), hex(zeroblob(2000000)) || '1') FROM runs"
"""Minutes within one function of SQL, in which SQLite does not ask whether it should end."""
WITHOUT_END = "pollctl: a statement went on long after its limit, and ended with pollctl web: start it again"


@pytest.fixture(params=["TRUNCATE", "WAL"])
def journal(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(tmp_path: Path, journal: str) -> Iterator[Served]:
    lay_out(tmp_path, is_full=True)
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db:
        db.execute(f"PRAGMA journal_mode={journal}")
    with serving(tmp_path, clean_environment(tmp_path)) as found:
        found.log_in()
        yield found


def hosts(served: Served) -> list[list[str]]:
    found: list[list[str]] = json.loads(served.select("SELECT DISTINCT host FROM runs").body)["rows"]
    return found


def test_a_kill_in_mid_commit_breaks_no_page_and_half_of_it_is_never_seen(
    tmp_path: Path, served: Served, journal: str
) -> None:
    assert hosts(served) == [["box"]]
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", KILLED, journal], cwd=tmp_path, check=False)
        assert done.returncode == -signal.SIGKILL
        left = tmp_path / ("pollctl.db-wal" if journal == "WAL" else "pollctl.db-journal")
        assert left.stat().st_size > 10_000
        assert [served.ask(page).status for page in PAGES] == [200] * len(PAGES)
        assert hosts(served) == [["box"]]


def test_a_running_writer_breaks_no_page_and_is_never_refused(tmp_path: Path, served: Served) -> None:
    ends_at, commits, wrong = time.monotonic() + 2, [0], []

    def write() -> None:
        with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None, timeout=10)) as db:
            while time.monotonic() < ends_at:
                try:
                    db.execute("BEGIN IMMEDIATE")
                    db.execute("UPDATE runs SET pid = pid + 1")
                    db.execute("COMMIT")
                except sqlite3.OperationalError as error:
                    wrong.append(str(error))
                commits[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    statuses = set()
    while writer.is_alive():
        statuses |= {served.ask(page).status for page in PAGES}
    writer.join()
    assert (statuses, wrong) == ({200}, [])
    assert commits[0] > 20


def test_no_answer_leaves_a_lock_behind(tmp_path: Path, served: Served, journal: str) -> None:
    cut_off = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000) SELECT x, plugin FROM n, runs"
    for sql in ("SELECT * FROM runs", cut_off, FOREVER, "SELECT json(plugin) FROM runs"):
        served.select(sql)
        with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None, timeout=0)) as db:
            db.execute("BEGIN EXCLUSIVE")
            db.execute("UPDATE runs SET pid = 1")
            db.execute("COMMIT")
            assert journal != "WAL" or db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def test_a_statement_that_takes_long_gives_way_to_a_commit(tmp_path: Path, served: Served) -> None:
    """A statement ends after half a second; nobody who commits has to wait for that."""
    ends_at, waited = time.monotonic() + 3, []

    def ask() -> None:
        while time.monotonic() < ends_at:
            served.select(FOREVER)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for one in asking:
        one.start()
    with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None, timeout=10)) as db:
        while time.monotonic() < ends_at:
            time.sleep(0.2)
            began = time.monotonic()
            db.execute("UPDATE runs SET pid = pid + 1")
            waited.append(time.monotonic() - began)
    for one in asking:
        one.join()
    assert sorted(waited)[len(waited) // 2] < 0.15


def test_what_gave_way_is_answered_when_the_commit_is_done(tmp_path: Path, served: Served) -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 30000)"
    long = f"{numbers} SELECT max(x), min(pid) FROM n LEFT JOIN runs ON runs.rowid = n.x"
    ends_at, answers = time.monotonic() + 3, []

    def write() -> None:
        with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None, timeout=10)) as db:
            while time.monotonic() < ends_at:
                time.sleep(0.2)
                db.execute("UPDATE runs SET pid = pid + 1")

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        answers.append(served.select(long))
    writer.join()
    in_time = [one for one in answers if "took too long" not in one.body]  # where the machine had other things to do
    assert {one.status for one in in_time} == {200}


def test_one_statement_runs_at_a_time(served: Served) -> None:
    began = time.monotonic()
    asking = [threading.Thread(target=served.select, args=[FOREVER]) for _ in range(3)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert time.monotonic() - began > 1.4


def test_tables_that_a_pass_makes_are_seen_and_what_is_asked_of_them_is_offered(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=True)
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db, db:
        db.execute("ALTER TABLE latency_jobs RENAME TO latency_later")
    with serving(tmp_path, clean_environment(tmp_path)) as served:
        served.log_in()
        assert served.ask("/pollctl/latency-jobs").status == 404
        assert "latency-jobs" not in served.ask("/pollctl").body
        assert "latency" not in served.ask("/-/dashboards").body
        with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db, db:
            db.execute("ALTER TABLE latency_later RENAME TO latency_jobs")
        assert "latency-jobs" in served.ask("/pollctl").body
        assert served.ask("/pollctl/latency-jobs").status == 200


def test_a_database_that_stays_locked_is_said_and_is_no_bug(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=True)
    with serving(tmp_path, clean_environment(tmp_path)) as served:
        served.log_in()
        with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            answer = served.ask("/pollctl/runs.json")
        assert (answer.status, json.loads(answer.body)["error"]) == (503, "database is locked")
        assert served.ask("/pollctl/runs").status == 200
        assert "Traceback" not in served.end()[1]


def test_the_file_is_as_it_was(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with serving(tmp_path, clean_environment(tmp_path)) as served:
        served.log_in()
        assert {served.ask(page).status for page in PAGES} == {200}
        served.end()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def ask_endless(served: Served) -> None:
    """Ask what is not answered, and go on when it runs."""

    def ask() -> None:
        with suppress(OSError, http.client.HTTPException):
            served.select(ENDLESS)

    threading.Thread(target=ask, daemon=True).start()
    time.sleep(1)


def test_a_statement_that_sqlite_cannot_end_holds_a_commit_for_seconds_and_ends_the_process(
    tmp_path: Path, served: Served
) -> None:
    ask_endless(served)
    with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None, timeout=10)) as db:
        db.execute("UPDATE runs SET pid = pid + 1")
    _, said = served.process.communicate(timeout=10)
    assert served.process.returncode == 1
    assert said.splitlines()[1:] == [WITHOUT_END]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whatever_it_was_asked(tmp_path: Path, number: int) -> None:
    lay_out(tmp_path, is_full=True)
    with serving(tmp_path, clean_environment(tmp_path)) as served:
        served.log_in()
        ask_endless(served)
        code, said = served.end(number)
    assert (code, said.splitlines()[1:]) == (1, [WITHOUT_END])


@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_that_was_put_in_its_place_is_not_mistaken_for_it(
    tmp_path: Path, served: Served, *, is_there: bool
) -> None:
    """As a restore does, which moves the old one away."""
    assert hosts(served) == [["box"]]
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db:
        db.execute(f"VACUUM INTO '{tmp_path / 'copy.db'}'")
    (tmp_path / "pollctl.db").rename(tmp_path / "damaged.db")
    if is_there:
        (tmp_path / "copy.db").rename(tmp_path / "pollctl.db")
    for page in (*PAGES, "/pollctl.json?sql=select+host+from+runs"):
        answer = served.ask(page)
        assert answer.status == 503, page
        assert "its file was replaced: start pollctl web again" in answer.body, page
    assert "Traceback" not in served.end()[1]


def test_who_waits_for_a_pass_is_not_taken_for_a_statement_without_end(tmp_path: Path, served: Served) -> None:
    with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(served.select("SELECT count(*) FROM runs").status))
        asking.start()
        time.sleep(5)
        db.execute("COMMIT")
    asking.join()
    assert (answers, served.process.poll()) == ([200], None)
