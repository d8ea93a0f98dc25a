"""What workers elsewhere are worth (docs/scaling.md), and a million targets a minute at 1/100.

    python benchmarks/fanout.py [TURNS]

10,000 GETs of answers that take 50 ms, from nginx, 256 at a time: from here, by one worker of Dask, and by two, in turn in one run.
All share the cores of this machine, so what workers can win shows in the processor time that the pass itself takes. Then what one
database bears: 500,000 samples of latency, 20,000 a commit. It needs nginx, as benchmarks/get_many.py does, and the extra ``dask``.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from get_many import BODY, nginx
from latency import START, add_jobs, large_pass

from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import Fanout
from pollctl.fanout.engine import Engine
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.store import database
from pollctl_latency.migrations import migrations
from pollctl_latency.model import AddSample
from pollctl_latency.store.apply import apply

COUNT, AT_ONCE = 10_000, 256
JOBS, PER_COMMIT, COMMITS = 100_000, 20_000, 25
TICKS = os.sysconf("SC_CLK_TCK")


class Turn(NamedTuple):
    """Seconds until the first and the last answer, and processor seconds of the pass and of all that helps it."""

    first_s: float
    all_s: float
    own_s: float
    helpers_s: float


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    with ExitStack() as stack, nginx() as (url, _):
        clusters = [stack.enter_context(cluster(workers)) for workers in (1, 2)]
        ways = {"from here": partial(turn, f"{url}/late", "", [])}
        for number, (address, pids) in enumerate(clusters, start=1):
            ways[f"workers: {number}"] = partial(turn, f"{url}/late", address, pids)
        found: dict[str, list[Turn]] = {way: [] for way in ways}
        for _ in range(turns):
            for way, once in ways.items():
                found[way].append(once())
        show_pass(clusters[1][0])
    show(found)
    show_file()


def turn(url: str, address: str, pids: list[int]) -> Turn:
    """One pass' worth of requests."""
    stop, limits = Stop(), Limits()
    away = Engine(Fanout(engine="dask", address=address, fallback="fail"), limits, stop) if address else None
    own, helpers, began = own_s(), helpers_s(pids), time.perf_counter()
    first_s = 0.0
    with closing(Client(limits, stop=stop, away=away)) as client:
        answers = client.get_many((Request(url=url) for _ in range(COUNT)), concurrency=AT_ONCE)
        for answer in answers:
            first_s = first_s or time.perf_counter() - began
            assert answer.body == BODY.encode(), answer
        all_s = time.perf_counter() - began
    return Turn(first_s, all_s, own_s() - own, helpers_s(pids) - helpers)


def show(found: dict[str, list[Turn]]) -> None:
    print(f"{COUNT:,} GETs of answers after 50 ms, {AT_ONCE} at a time")
    base = found["from here"]
    for way, turns in found.items():
        ratio = statistics.median(theirs.all_s / mine.all_s for theirs, mine in zip(base, turns, strict=True))
        own = statistics.median(mine.own_s / theirs.own_s for theirs, mine in zip(base, turns, strict=True))
        first_s, all_s, own_s, helpers_s = (statistics.median(values) for values in zip(*turns, strict=True))
        print(
            f"  {way:10} {all_s:5.2f} s ({ratio:.2f} x as fast), first answer after {first_s:.2f} s; "
            f"processor time of the pass {own_s:.2f} s ({own:.2f} x), of scheduler and workers {helpers_s:.2f} s"
        )


def show_pass(address: str) -> None:
    """A whole pass at 1/100 of a million targets a minute, from here and by two workers."""
    for way, more in {
        "from here": "",
        "workers: 2": f'[pollctl.fanout]\nengine = "dask"\naddress = "{address}"\n',
    }.items():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds, _, samples = large_pass(more)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"  a pass of latency, {way}: {samples:,} samples in {seconds:.1f} s, {cpu_s:.1f} s of processor time")


def show_file() -> None:
    """What one database bears."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder, "pollctl.db")
        with closing(database.open_to_write(path, [migrations])) as db:
            with database.writing(db):
                add_jobs(db, JOBS)
            before = path.stat().st_size
            began_s = time.process_time()
            seconds = [commit(db, number) for number in range(COMMITS)]
            cpu_s = time.process_time() - began_s
            db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = path.stat().st_size - before
    samples, a_sample = COMMITS * PER_COMMIT, size / (COMMITS * PER_COMMIT)
    print(
        f"{samples:,} samples of {JOBS:,} jobs, {PER_COMMIT:,} a commit: {samples / sum(seconds):,.0f} a second, "
        f"{samples / cpu_s:,.0f} for each second of processor time, slowest commit "
        f"{max(seconds):.2f} s, {a_sample:.0f} bytes each; a million a minute are {a_sample * 1.44:.0f} GB a day"
    )


def commit(db: Any, number: int) -> float:
    """Seconds that one commit of samples takes."""
    first = number * PER_COMMIT
    run: Any = SimpleNamespace(count=dict)
    decisions = [
        AddSample(
            job_id=index % JOBS + 1,
            sequence_number=index // JOBS,
            status="success",
            rtt_ms=20.5,
            jitter_ms=0.5,
            recorded_at=START + timedelta(milliseconds=index),
            reason="answered in 20.5 ms",
        )
        for index in range(first, first + PER_COMMIT)
    ]
    began = time.perf_counter()
    with database.writing(db):
        apply(db, decisions, run)
    return time.perf_counter() - began


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[int]]]:
    """The address of a scheduler with so many workers on this machine, and the ids of their processes."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder, "scheduler.json")
        started = [dask("scheduler", folder, "--port", "0", "--scheduler-file", str(file))]
        stack.callback(end, started)
        while not (file.exists() and file.read_text()):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        log = Path(folder, "log")
        started += [dask("worker", folder, address, "--no-nanny", "--nthreads", "1") for _ in range(workers)]
        while log.read_text().count("Register worker") < workers:
            time.sleep(0.05)
        yield address, [process.pid for process in started]


def dask(kind: str, folder: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words, "--host", "127.0.0.1", "--no-dashboard"]
    with Path(folder, "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()


def own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def helpers_s(pids: list[int]) -> float:
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS


if __name__ == "__main__":
    main()
