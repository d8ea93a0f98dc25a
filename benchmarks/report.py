"""What `pollctl report` costs: a day and 90 days of five plugins; and how long a writing pass waits beside it and `pollctl web`.

    python benchmarks/report.py [TURNS]

A day has a pass of each plugin a minute and 8,640 samples of three jobs; 90 days have 134,000 passes and 106,000 samples. The
writer commits a row again and again while a report of a day is written, and while three readers ask pages of a day without a
pause, or nothing but statements that run until they are cut off. Exits 1 when an aim of the report is missed.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import cycle
from multiprocessing import Process
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from pollctl import to_text
from pollctl.plugin_host.discovery import discover
from pollctl.plugin_host.loader import load, migrations_of
from pollctl.store import database, runs

NOW = datetime(2026, 11, 28, 18, 2, tzinfo=UTC)
PLUGINS = ("latency", "shell_query", "soc_sections", "stockx_ops", "toilet_gap")
SETTINGS = """
[pollctl]
database = "pollctl.db"
[plugins.latency]
[plugins.shell_query]
[plugins.soc_sections]
terms = ["92026"]
campuses = ["NB"]
[plugins.stockx_ops]
client_id = "id"
client_secret = "secret"
api_key = "key"
[plugins.toilet_gap]
event_service_url = "http://127.0.0.1:9"
monitors = []
"""
LONGEST_DELAY_MS = 20


class Size(NamedTuple):
    """How much there is to be shown, and what that may cost."""

    since: str
    days: int
    passes: int
    samples: int
    most_kb: int
    most_cpu_s: float


SIZES = (Size("24h", 1, 7_200, 8_640, 250, 0.3), Size("90d", 90, 134_000, 106_000, 400, 1.0))
MOST_MB = 100


class Cost(NamedTuple):
    """What one report took."""

    cpu_s: float
    peak_mb: float


def main(turns: int) -> int:
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    results = [shown(size, turns) for size in SIZES]
    results.append(delayed(SIZES[0], turns))
    for journal in ("TRUNCATE", "WAL"):
        hammered(SIZES[0], journal, turns)
    return 0 if all(results) else 1


def shown(size: Size, turns: int) -> bool:
    """Print what reports of one size cost; answers whether the aims are met."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, size)
        written(folder, size.since)  # byte code
        costs = [written(folder, size.since) for _ in range(turns)]
        kb = (folder / "report.html").stat().st_size / 1000
    cpu, mb = statistics.median(cost.cpu_s for cost in costs), max(cost.peak_mb for cost in costs)
    print(
        f"{size.since}: {kb:.0f} KB (aim {size.most_kb}), {cpu:.2f} s of CPU (aim {size.most_cpu_s}), {mb:.0f} MB (aim {MOST_MB})"
    )
    return kb <= size.most_kb and cpu <= size.most_cpu_s and mb <= MOST_MB


def delayed(size: Size, turns: int) -> bool:
    """Print how long commits take beside reports, and without; answers whether the aim is met."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, size)
        path = folder / "pollctl.db"
        quiet = list(commits(path, range(200)))
        beside = [took for _ in range(turns) for took in commits(path, while_it_runs(begun(folder, size.since)))]
    slowest = max(beside) - statistics.median(quiet)
    print(
        f"a commit beside it: {statistics.median(quiet):.1f} ms alone, {_p95(beside):.1f} ms at p95, slowest {max(beside):.1f} ms"
        f" (aim: {LONGEST_DELAY_MS} ms more)"
    )
    return slowest <= LONGEST_DELAY_MS


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def hammered(size: Size, journal: str, turns: int) -> None:
    """Print how long commits take beside a page that is asked without a pause, and beside statements that are cut off."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, size)
        path, number = folder / "pollctl.db", 100 * turns
        quiet = list(commits(path, range(number), journal))
        with shown_in_a_browser(folder) as (origin, cookie):
            beside = {}
            for what, paths in ASKED.items():
                asking = [Process(target=ask, args=[origin, cookie, paths], daemon=True) for _ in range(3)]
                for one in asking:
                    one.start()
                beside[what] = list(commits(path, range(number), journal))
                for one in asking:
                    one.terminate()
                    one.join()
    print(f"{journal}: a commit takes {_p95(quiet):.1f} ms at p95 alone", end="")
    for what, took in beside.items():
        print(
            f"; beside {what} {_p95(took):.1f} ms ({_p95(took) / _p95(quiet):.1f} times), slowest {max(took):.0f} ms",
            end="",
        )
    print()


FOREVER = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n, runs"
ASKED = {
    "pages": ("/", "/pollctl/runs?_facet=outcome", "/pollctl/latency_samples", "/pollctl/pollctl-durations.json"),
    "statements that are cut off": (f"/pollctl.json?sql={quote(FOREVER)}",),
}


@contextmanager
def shown_in_a_browser(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve `pollctl web`; yields where, and the cookie that lets in."""
    words = [sys.executable, "-m", "pollctl", "web", "--port", "0"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        address = urlsplit(process.stdout.readline().strip())
        with closing(HTTPConnection(address.netloc)) as connection:
            connection.request("GET", f"{address.path}?{address.query}")
            cookie = connection.getresponse().getheader("set-cookie", "").partition(";")[0]
        try:
            yield address.netloc, cookie
        finally:
            process.terminate()


def ask(origin: str, cookie: str, paths: Sequence[str]) -> None:
    """Ask for pages, one after the other, until this process is ended."""
    for path in cycle(paths):
        with closing(HTTPConnection(origin)) as connection:
            connection.request("GET", path, headers={"Cookie": cookie})
            connection.getresponse().read()


def commits(path: Path, turns: Iterable[object], journal: str = "TRUNCATE") -> Iterator[float]:
    """Milliseconds of commits, each of one row, for each turn."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
        db.execute(f"PRAGMA journal_mode={journal}")
        for _ in turns:
            began = time.perf_counter()
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE runs SET pid = pid + 1 WHERE rowid = 1")
            db.execute("COMMIT")
            yield (time.perf_counter() - began) * 1000
            time.sleep(0.002)


def while_it_runs(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A turn after the other until a process has ended."""
    while process.poll() is None:
        yield


def begun(folder: Path, since: str) -> subprocess.Popen[bytes]:
    """A report that is being written."""
    environ = {**os.environ, "POLLCTL_NOW": to_text(NOW)}
    words = [sys.executable, "-m", "pollctl", "report", "--since", since, "--out", "report.html"]
    return subprocess.Popen(words, cwd=folder, env=environ)


def written(folder: Path, since: str) -> Cost:
    """What one report takes."""
    process = begun(folder, since)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the report ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def fill(folder: Path, size: Size) -> None:
    """A database with passes and samples, spread evenly over the days."""
    (folder / "pollctl.toml").write_text(SETTINGS)
    sets = migrations_of([load(found) for name, found in discover().items() if name in PLUGINS])
    with closing(database.open_to_write(folder / "pollctl.db", sets)) as db, database.writing(db):
        db.conn.executemany(
            "INSERT INTO runs (id, plugin, trigger, started_at, finished_at, outcome, duration_ms, error, trace_id, pid, host)"
            " VALUES (?, ?, 'due', ?, ?, ?, 40, ?, '', 1, 'box')",
            passes(size),
        )
        for number in (1, 2, 3):
            db.conn.execute(
                "INSERT INTO latency_jobs (target, probe, monitoring_mode, cadence_seconds, duration_seconds, status, "
                "started_at) VALUES (?, 'tcp', 'real_polling', 30, 31536000, 'running', ?)",
                [f"host-{number}.example.net:443", to_text(NOW - timedelta(days=size.days))],
            )
        db.conn.executemany(
            "INSERT INTO latency_samples (job_id, sequence_number, status, rtt_ms, recorded_at) VALUES (?, ?, ?, ?, ?)",
            samples(size),
        )


def passes(size: Size) -> Iterator[tuple[str | None, ...]]:
    """Passes of all plugins, one in a hundred of which failed."""
    for number in range(size.passes):
        at = NOW - timedelta(days=size.days) * (1 - number / size.passes)
        is_bad = number % 101 == 0
        error = '{"type": "FetchFailed", "message": "503 Service Unavailable"}' if is_bad else None
        outcome = "failed" if is_bad else "ok"
        run_id = f"{runs.id_prefix(at)}-{number:08x}"
        yield run_id, PLUGINS[number % len(PLUGINS)], to_text(at), to_text(at), outcome, error


def samples(size: Size) -> Iterator[tuple[int, int, str, float | None, str]]:
    """Samples of three jobs, one in fifty of which was missed."""
    for number in range(size.samples):
        at = NOW - timedelta(days=size.days) * (1 - number / size.samples)
        is_missed = number % 50 == 0
        rtt = None if is_missed else 20 + number % 17
        yield number % 3 + 1, number // 3, "missed" if is_missed else "success", rtt, to_text(at)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
