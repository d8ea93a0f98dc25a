"""Plugins that misbehave on demand, and `due --run` as a process, for the tests of the supervisor."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from plugin_package import PLAIN, command, make_plugin_package, run_pollctl, write_settings

NEVER_BACK_OFF = 'backoff = "0s"\n'


def source(fetch: str) -> str:
    """A plugin whose fetch does *fetch*; ``here`` is the folder of the test."""
    indented = "\n".join(f"    {line}" for line in ["here = Path(os.environ['HOME'])", *fetch.splitlines()])
    imports = "import os, re, signal, subprocess, sys, time\nfrom pathlib import Path\n"
    return imports + PLAIN.replace("    yield Batch(1)\n    yield Batch(2)", indented)


class World:
    """A folder with settings, a database and some plugins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env: dict[str, str] = {}

    def settings(self, *sections: str) -> None:
        write_settings(self.folder, *sections)

    def plugin(self, name: str, fetch: str) -> None:
        self.env = make_plugin_package(self.folder, name, source(fetch), env=self.env)

    def run(self, *arguments: str, minute: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run pollctl at a minute of a stopped clock, so that each minute has its slot."""
        env = {**self.env, "POLLCTL_NOW": f"2026-03-08T12:{minute:02d}:00Z"}
        return run_pollctl(self.folder, env, *(arguments or ("due", "--run")), **more)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start pollctl, and kill it at the end if it is still there."""
        process = subprocess.Popen(
            command(*arguments),
            cwd=self.folder,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=obey_interrupts,  # noqa: PLW1509 - it starts no threads
        )
        try:
            with process:
                yield process
                process.wait(20)
        finally:
            if process.poll() is None:
                process.kill()

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as connection:
            return connection.execute(query).fetchall()

    def outcomes(self) -> dict[str, str]:
        """The outcome of the last pass of each plugin."""
        return dict(self.sql("SELECT plugin, outcome FROM runs ORDER BY id"))


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something comes true in time."""
    give_up_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid_file: Path) -> bool:
    """Whether the process whose number is in a file runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def kill_leftover(pid_file: Path) -> None:
    """End a process that a failed test may have left."""
    if is_alive(pid_file):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)


def obey_interrupts() -> None:
    """Let SIGINT and SIGHUP end a new process, also where the tests run in the background of a shell or under nohup(1)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
