"""What 10,000 targets cost: a pass in which all are due and one in a hundred has changed, beside ``run.get_many`` for them.

    python benchmarks/targets.py [TARGETS] [TURNS]

``run.get_many`` is measured in a pass of a plugin that does nothing else; and, as a stricter measure, in a process without a pass.
With libcurl (if pycurl is installed), with Python's engine, and of a server that takes 50 ms for an answer, of which there are a
fifth. And what an idle tick of cron costs, beside ``python -c pass``. The pages are served from loopback by a process of their own.
Exits 1 when a median is over its aim.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from startup import BARE, SCRIPT, Cost, cost, install

PLUGIN = """
import os
import msgspec
from pollctl import Answer, Poller, Request, hookimpl
from pollctl.targets import Change, News, Target, TargetPlugin

def read(answer: Answer, target: Target) -> str:
    return answer.body.decode()

def compare(before: str | None, now: str, target: Target) -> Change[str]:
    return Change(now, [] if before in (None, now) else [News(f"{target.title} changed")])

plugin = TargetPlugin("pages", Target, str, key="pages", summary="Has a page changed?", read=read, compare=compare)

class Nothing(msgspec.Struct, frozen=True): reason: str = "nothing"

class Asks:
    @hookimpl
    def pollctl_poller(self): return Poller(contract=1, summary="Asks.", settings=Nothing, batch=Nothing, decision=Nothing)
    @hookimpl
    def pollctl_fetch(self, run):
        url, count = os.environ["PAGES"], int(os.environ["COUNT"])
        assert sum(len(one.body) > 0 for one in run.get_many(Request(url=f"{url}/{n}") for n in range(count))) == count
        yield from ()
    @hookimpl
    def pollctl_decide(self): return []
    @hookimpl
    def pollctl_apply(self): pass

asks = Asks()
"""
ALONE = """
import os
from contextlib import closing
from pollctl import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
url, count = os.environ["PAGES"], int(os.environ["COUNT"])
with closing(Client(Limits(engine=os.environ["ENGINE"]), stop=Stop())) as client:
    answers = client.get_many((Request(url=f"{url}/{number}") for number in range(count)), concurrency=8)
    assert sum(len(answer.body) > 0 for answer in answers) == count
"""
SERVER = """
import asyncio, sys
turn, delay = 0, float(sys.argv[1])

async def talk(reader, writer):
    global turn
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            path = head.split(b" ", 2)[1]
            if path == b"/turn":
                turn += 1
            elif delay:
                await asyncio.sleep(delay)
            number = int(path[1:]) if path[1:].isdigit() else 0
            body = b"page %d, %d" % (number, turn if number % 100 == 0 else 0) + b" and some more words" * 50
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
MOST_TIMES_GET_MANY, MOST_MB, MOST_IDLE_TIMES_PYTHON = 1.3, 150, 2.0


class Case(NamedTuple):
    """How the pages are asked, and how long an answer takes."""

    name: str
    engine: str
    delay_s: float = 0

    @property
    def is_possible(self) -> bool:
        """Whether what it asks with is installed."""
        return self.engine == "python" or find_spec("pycurl") is not None


CASES = (Case("libcurl", "curl"), Case("Python's engine", "python"), Case("libcurl, 50 ms", "curl", 0.05))


class Turn(NamedTuple):
    """What the same addresses cost: polled, asked in a pass that does nothing else, and asked without one."""

    polled: Cost
    asked: Cost
    alone: Cost


def main() -> int:
    count, turns = [int(word) for word in [*sys.argv[1:], *("10000", "5")[len(sys.argv) - 1 :]]]
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(not all([*(reached(case, count, turns) for case in CASES if case.is_possible), reached_idle(count)]))


def reached(case: Case, count: int, turns: int) -> bool:
    """Whether a pass is as quick and small as it should be."""
    count = count // 5 if case.delay_s else count
    with tempfile.TemporaryDirectory() as folder, served(case.delay_s) as url:
        env = installed(Path(folder), url, count, case.engine)
        found = [turn(Path(folder), env) for _ in range(turns + 1)][1:]
    ratio = statistics.median(one.polled.wall / one.asked.wall for one in found)
    cpu = statistics.median(one.polled.cpu / one.asked.cpu for one in found)
    strict = statistics.median(one.polled.wall / one.alone.wall for one in found)
    seconds, memory = statistics.median(one.polled.wall for one in found), max(one.polled.mb for one in found)
    print(
        f"{case.name:16} {count} targets, one in a hundred changed: {seconds:.2f} s and {memory:.0f} MB; {ratio:.2f} x a pass of "
        f"run.get_many ({cpu:.2f} in CPU time), {strict:.2f} x get_many without a pass"
    )
    return ratio <= MOST_TIMES_GET_MANY and memory <= MOST_MB


def turn(place: Path, env: Mapping[str, str]) -> Turn:
    """All of them, one after the other."""
    alone = cost([sys.executable, "-c", ALONE], place, env)
    asked = cost([SCRIPT, "run", "asks"], place, env)
    ask(env["PAGES"], "turn")
    wait_until_due(place)
    return Turn(cost([SCRIPT, "run", "pages"], place, env), asked, alone)


def reached_idle(count: int) -> bool:
    """Whether a tick of cron in which no target is due costs as little as it should."""
    with tempfile.TemporaryDirectory() as folder, served() as url:
        place = Path(folder)
        env = installed(place, url, count, "auto")
        for _ in range(2):
            cost((SCRIPT, "due", "--run"), place, env)
        before = count_of_runs(place / "pollctl.db")
        idle = [cost((SCRIPT, "due", "--run"), place, env).wall for _ in range(20)]
        bare = [cost(BARE, place, env).wall for _ in range(20)]
        assert count_of_runs(place / "pollctl.db") == before, "an idle tick made a pass"
    ratio = statistics.median(idle) / statistics.median(bare)
    print(f"an idle tick: {ratio:.2f} x python -c pass")
    return ratio <= MOST_IDLE_TIMES_PYTHON


@contextmanager
def served(delay_s: float = 0) -> Iterator[str]:
    """The address of a server that answers 1 KB, after a while."""
    with subprocess.Popen([sys.executable, "-c", SERVER, str(delay_s)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def ask(url: str, path: str) -> None:
    """One request."""
    from urllib.request import urlopen

    with urlopen(f"{url}/{path}", timeout=10) as answer:
        answer.read()


def installed(folder: Path, url: str, count: int, engine: str) -> Mapping[str, str]:
    """Settings, two plugins, and targets that were added; answers the environment."""
    plugins = {"pages": "pages_plugin:plugin", "asks": "pages_plugin:asks"}
    env = install(folder, plugins, PLUGIN) | {"PAGES": url, "COUNT": str(count), "ENGINE": engine}
    (folder / "pollctl.toml").write_text(
        '[pollctl]\ndatabase = "pollctl.db"\ntimezone = "UTC"\nidle_max = "1h"\ndeadline = "10m"\n'
        f'http.engine = "{engine}"\n[plugins.pages]\n[plugins.asks]\nenabled = false\n'
    )
    add = [sys.executable, "-m", "pollctl", "pages", "add", f"{url}/0", "--every", "1h"]
    subprocess.run(add, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
        db.execute(
            "INSERT INTO pages_targets (name, address, added) "
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) "
            "SELECT replace(name, '/0', '/' || i), replace(address, '/0', '/' || i), replace(added, '/0', '/' || i) "
            "FROM pages_targets, n",
            (count,),
        )
    return env


def wait_until_due(folder: Path) -> None:
    """As if an hour had gone by."""
    with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
        db.execute("UPDATE pages_targets SET looked_at = '2026-01-01T00:00:00.000Z' WHERE looked_at IS NOT NULL")


def count_of_runs(database: Path) -> int:
    with closing(sqlite3.connect(database)) as db:
        (number,) = db.execute("SELECT count(*) FROM runs").fetchone()
        return int(number)


if __name__ == "__main__":
    sys.exit(main())
