"""What 10,000 targets cost: a pass in which all are due and one in a hundred has changed, beside ``run.get_many`` alone.

And what an idle tick of cron costs, beside ``python -c pass``.

    python benchmarks/targets.py [TARGETS] [TURNS]

The pages are served from loopback by a process of their own. Exits 1 when a median is over its aim.
"""

from __future__ import annotations

import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from startup import BARE, SCRIPT, cost, install

PLUGIN = """
from pollctl import Answer
from pollctl.targets import Change, News, Target, TargetPlugin

def read(answer: Answer, target: Target) -> str:
    return answer.body.decode()

def compare(before: str | None, now: str, target: Target) -> Change[str]:
    return Change(now, [] if before in (None, now) else [News(f"{target.title} changed")])

plugin = TargetPlugin("pages", Target, str, key="pages", summary="Has a page changed?", read=read, compare=compare)
"""
ALONE = """
import sys
from contextlib import closing
from pollctl import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
url, count = sys.argv[1], int(sys.argv[2])
with closing(Client(Limits(), stop=Stop())) as client:
    answers = client.get_many((Request(url=f"{url}/{number}") for number in range(count)), concurrency=8)
    assert sum(len(answer.body) > 0 for answer in answers) == count
"""
SERVER = """
import asyncio, sys
turn = 0

async def talk(reader, writer):
    global turn
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            path = head.split(b" ", 2)[1]
            if path == b"/turn":
                turn += 1
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


def main() -> int:
    count, turns = [int(word) for word in [*sys.argv[1:], *("10000", "5")[len(sys.argv) - 1 :]]]
    with tempfile.TemporaryDirectory() as folder, served() as url:
        place = Path(folder)
        env = installed(place, url, count)
        passes, alone = [], []
        for _ in range(turns + 1):
            subprocess.run([sys.executable, "-c", ALONE, f"{url}", "1"], check=True)
            alone.append(cost([sys.executable, "-c", ALONE, url, str(count)], place, env).wall)
            ask(url, "turn")
            wait_until_due(place)
            passes.append(cost([SCRIPT, "run", "pages"], place, env).wall)
        rows = place / "pollctl.db"
        subprocess.run([sys.executable, "-m", "pollctl", "due", "--run"], cwd=folder, env=env, check=True)
        before = count_of_runs(rows)
        idle = [cost((SCRIPT, "due", "--run"), place, env).wall for _ in range(20)]
        bare = [cost(BARE, place, env).wall for _ in range(20)]
        assert count_of_runs(rows) == before, "an idle tick made a pass"
    ratio = statistics.median(ours / theirs for ours, theirs in zip(passes[1:], alone[1:], strict=True))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    idle_ratio = statistics.median(idle) / statistics.median(bare)
    print(f"{count} targets, one in a hundred changed: {statistics.median(passes[1:]):.2f} s, {ratio:.2f} x get_many")
    print(f"largest process: {memory:.0f} MB; an idle tick: {idle_ratio:.2f} x python -c pass")
    return int(ratio > MOST_TIMES_GET_MANY or memory > MOST_MB or idle_ratio > MOST_IDLE_TIMES_PYTHON)


@contextmanager
def served() -> Iterator[str]:
    """The address of a server that answers 1 KB."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
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


def installed(folder: Path, url: str, count: int) -> Mapping[str, str]:
    """Settings, a plugin, and targets that were added; answers the environment."""
    env = install(folder, {"pages": "pages_plugin:plugin"}, PLUGIN)
    (folder / "pollctl.toml").write_text(
        '[pollctl]\ndatabase = "pollctl.db"\ntimezone = "UTC"\nidle_max = "1h"\ndeadline = "10m"\n[plugins.pages]\n'
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
