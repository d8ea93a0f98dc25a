"""One folder in which passes are made: settings, a database, made-up plugins, and the ways to run pollctl there."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from plugin_package import (
    Done,
    clean_environment,
    command,
    make_plugin_package,
    run_pollctl,
    spawn_pollctl,
    write_settings,
)
from sample_plugin import PLAIN


class Place:
    """A folder with an environment of its own.

    Args:
        folder: it is made if it is not there.
        **env: more variables.

    Attributes:
        now: the moment of commands that are given none; empty for the real clock.
        stderr: what the last command of `do` said there.
    """

    def __init__(self, folder: Path, **env: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.env = clean_environment(folder) | env
        self.now = ""
        self.stderr = ""

    @property
    def database(self) -> Path:
        return self.folder / "pollctl.db"

    def settings(self, *sections: str) -> None:
        """Write a settings file with *sections* of TOML."""
        write_settings(self.folder, *sections)

    def plugin(self, name: str, source: str = PLAIN, *, group: str = "pollctl", attribute: str = "") -> None:
        """Install one more plugin, or a wrapper."""
        self.env = make_plugin_package(self.folder, name, source, group=group, env=self.env, attribute=attribute)

    def call(self, *words: str, now: str = "") -> Done:
        """Run pollctl to its end, in this process; *now* is the moment at which the clock stands."""
        return run_pollctl(self.folder, self.env_at(now), *words)

    def do(self, *words: str, now: str = "", code: int = 0) -> str:
        """Run pollctl as `call`, which must end with *code*; answers what stood on stdout."""
        done = self.call(*words, now=now)
        self.stderr = done.stderr
        assert done.returncode == code, done
        return done.stdout

    def spawn(self, *words: str, now: str = "", **more: Any) -> Done:
        """Run pollctl to its end as a process."""
        return spawn_pollctl(self.folder, self.env_at(now), *words, **more)

    def popen(self, *words: str, now: str = "", **more: Any) -> subprocess.Popen[str]:
        """Start pollctl as a process; what it prints is to be read, unless *more* says otherwise."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(command(*words), cwd=self.folder, env=self.env_at(now), text=True, **streams)

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start pollctl, and kill it at the end if it is still there."""
        process = self.popen(*words, preexec_fn=obey_interrupts)
        try:
            with process:
                yield process
                process.wait(20)
        finally:
            if process.poll() is None:
                process.kill()

    def env_at(self, now: str) -> dict[str, str]:
        """The environment with the clock stopped at a moment, or at ``now`` if none is given."""
        moment = now or self.now
        return self.env | ({"POLLCTL_NOW": moment} if moment else {})

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """The rows that answer a statement, each a tuple."""
        with closing(sqlite3.connect(self.database, timeout=20)) as db, db:
            return db.execute(statement, values).fetchall()

    def outcomes(self) -> dict[str, str]:
        """The outcome of the last pass of each plugin."""
        return dict(self.sql("SELECT plugin, outcome FROM runs ORDER BY id"))


def was_killed(process: subprocess.Popen[str]) -> bool:
    """Kill a process; answers whether it still lived."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    return process.returncode == -signal.SIGKILL


def eventually(holds: Callable[[], object], seconds: float = 10) -> bool:
    """Whether something comes true in time."""
    give_up_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something comes true, which it must in time."""
    assert eventually(condition, seconds), "it never came"


def obey_interrupts() -> None:
    """Let SIGINT and SIGHUP end a new process, also where the tests run in the background of a shell or under nohup(1)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
