"""What watchers of pages lose or tell twice: killed at each step, with the channel down, and two at once.

A program is killed right before its n-th connection, commit or renaming of a file, for each n until it comes to its end. A message
that carries the key of an earlier one is the same message: whoever receives it can tell.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from watching.programs import OURS, environment, prepared

ASSASSIN = """
import os, signal, sqlite3, sys
left = [int(os.environ.get("KILL_AT", "0"))]
def step():
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
def hear(event, arguments):
    if event == "os.rename" or event == "socket.connect" and isinstance(arguments[1], tuple):
        step()
def connected(*arguments, connect=sqlite3.connect, **more):
    connection = connect(*arguments, **more)
    connection.set_trace_callback(lambda text: text.lstrip()[:6].upper() == "COMMIT" and step())
    return connection
if left[0]:
    sqlite3.connect = connected
    sys.addaudithook(hear)
"""
MOST_STEPS = 60


class Site(FakeUpstream):
    """A page, and a web hook that keeps what is told."""

    def __init__(self) -> None:
        super().__init__()
        self.version, self.is_down = 1, False
        self.told: list[str] = []
        self._lock = threading.Lock()

    def respond(self, request: ServerRequest) -> ServerResponse:
        """The page, or what a hook answers."""
        if request.path == "/page":
            body = f"<html><body><p>version {self.version}</p></body></html>"
            return ServerResponse(body=body.encode(), headers={"Content-Type": "text/html"})
        if self.is_down:
            return ServerResponse(503)
        with self._lock:
            self.told.append(
                next((request.headers[name] for name in request.headers if "key" in name), f"message {len(self.told)}")
            )
        return ServerResponse(body=b"ok", headers={"Content-Type": "text/plain"})


class Program:
    """One of the programs, with its settings in a folder."""

    def __init__(self, name: str, folder: Path, site: Site, bin_folder: Path) -> None:
        self.folder = folder
        self._looks = 0
        self._words = prepared(name, folder, [f"{site.url}/page"], f"{site.url}/hook", bin_folder)
        (folder / "sitecustomize.py").write_text(ASSASSIN)

    def start(self, kill_at: int = 0) -> subprocess.Popen[bytes]:
        """Begin to look, an hour after the last time."""
        env = environment(self.folder, self._looks) | {"PYTHONPATH": str(self.folder), "KILL_AT": str(kill_at)}
        return subprocess.Popen(
            self._words, env=env, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def look(self, kill_at: int = 0) -> bool:
        """Look once; answers whether it was killed."""
        with self.start(kill_at) as process:
            code = process.wait(120)
        time.sleep(1.1)  # urlwatch takes texts of the same second for one
        self._looks += 1
        return code < 0


def _verdict(told: list[str]) -> str:
    number = len({*told})
    return "once" if number == 1 else "lost" if not number else "twice"


def tried(name: str, disturb: str, bin_folder: Path, kill_at: int = 0) -> tuple[str, bool]:
    """What became of a change, and whether the program was killed."""
    with tempfile.TemporaryDirectory() as folder, Site() as site:
        program = Program(name, Path(folder), site, bin_folder)
        program.look()
        site.told.clear()
        site.version = 2
        was_killed = False
        if disturb == "kill":
            was_killed = program.look(kill_at)
        elif disturb == "channel down":
            site.is_down = True
            program.look()
            site.is_down = False
        else:
            for process in [program.start(), program.start()]:
                process.wait(120)
            time.sleep(1.1)
        program.look()
        program.look()
        return _verdict(site.told), was_killed


def print_matrix(names: Sequence[str], bin_folder: Path) -> bool:
    """Print what each program made of each disturbance; answers whether ours told every change once."""
    print(f"{'program':16}{'disturbed by':24}{'told once':>10}{'lost':>6}{'twice':>7}")
    is_whole = True
    for name in names:
        for what, verdicts in _disturbed(name, bin_folder):
            print(f"{name:16}{what:24}{verdicts['once']:>10}{verdicts['lost']:>6}{verdicts['twice']:>7}", flush=True)
            is_whole &= name != OURS or not verdicts["lost"] + verdicts["twice"]
    return is_whole


def _disturbed(name: str, bin_folder: Path) -> Iterator[tuple[str, Mapping[str, int]]]:
    kills: Counter[str] = Counter()
    for step in range(1, MOST_STEPS):
        verdict, was_killed = tried(name, "kill", bin_folder, step)
        if not was_killed:
            break
        kills[verdict] += 1
    yield f"{kills.total()} kills", kills
    yield "the channel down", Counter([tried(name, "channel down", bin_folder)[0]])
    yield "two at once, 5 times", Counter(tried(name, "two", bin_folder)[0] for _ in range(5))
