"""What watchers of pages lose or tell twice: killed at each step, with the channel down, and two at once.

    python -m venv peers && peers/bin/pip install urlwatch webchanges
    pip install ./extras/pollctl-watch
    python benchmarks/watch_crashes.py peers/bin

Each program looks at a page, the page changes once, the program is disturbed while it looks again, and then looks twice
undisturbed. The change must be told once. It is killed right before its n-th connection, commit or renaming of a file, for each n
until it comes to its end. A message that carries the key of an earlier one is the same message: whoever receives it can tell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

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
        self.folder, self._name = folder, name
        self._looks = 0
        self._words = _prepared(name, folder, site, bin_folder)
        (folder / "sitecustomize.py").write_text(ASSASSIN)

    def start(self, kill_at: int = 0) -> subprocess.Popen[bytes]:
        """Begin to look, ten minutes after the last time."""
        env: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(self.folder),
            "KILL_AT": str(kill_at),
            "POLLCTL_NOW": f"2026-03-02T{9 + self._looks // 6:02}:{self._looks % 6}0:00Z",
        }
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


def _prepared(name: str, folder: Path, site: Site, bin_folder: Path) -> list[str]:
    """Write the settings of a program; its command."""
    hook = f"{site.url}/hook"
    if name == "pollctl-watch":
        settings = f"""[pollctl]\ndatabase = "pollctl.db"\n[plugins.watch]\nnotify = ["{hook.replace("http://", "json://")}"]
[[plugins.watch.watches]]\nurl = "{site.url}/page"\nevery = "5m"\n"""
        (folder / "pollctl.toml").write_text(settings)
        (folder / "pollctl.toml").chmod(0o600)
        return [sys.executable, "-m", "pollctl", "--config", str(folder / "pollctl.toml"), "run", "watch"]
    (folder / "jobs.yaml").write_text(f"url: {site.url}/page\n")
    channel = "slack" if name == "urlwatch" else "webhook"
    report = f"report:\n  {channel}:\n    enabled: true\n    webhook_url: {hook}\n  stdout:\n    enabled: false\n"
    (folder / "config.yaml").write_text(f"display:\n  error: true\n  new: false\n  unchanged: false\n{report}")
    words = [
        str(bin_folder / name),
        "--urls" if name == "urlwatch" else "--jobs",
        "jobs.yaml",
        "--config",
        "config.yaml",
    ]
    return [*words, "--cache" if name == "urlwatch" else "--database", "cache.db"]


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


def main() -> None:
    """Print a table."""
    if find_spec("pollctl_watch") is None:
        print("pollctl-watch is not installed: pip install ./extras/pollctl-watch")
        return
    bin_folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("/nonexistent")
    names = ["pollctl-watch", *(name for name in ("urlwatch", "webchanges") if (bin_folder / name).exists())]
    print(f"{'program':16}{'disturbed by':24}{'told once':>10}{'lost':>6}{'twice':>7}")
    for name in names:
        kills: Counter[str] = Counter()
        for step in range(1, MOST_STEPS):
            verdict, was_killed = tried(name, "kill", bin_folder, step)
            if not was_killed:
                break
            kills[verdict] += 1
        _print(name, f"{kills.total()} kills", kills)
        _print(name, "the channel down", Counter([tried(name, "channel down", bin_folder)[0]]))
        _print(name, "two at once, 5 times", Counter(tried(name, "two", bin_folder)[0] for _ in range(5)))


def _print(name: str, what: str, verdicts: Mapping[str, int]) -> None:
    print(f"{name:16}{what:24}{verdicts['once']:>10}{verdicts['lost']:>6}{verdicts['twice']:>7}", flush=True)


if __name__ == "__main__":
    main()
