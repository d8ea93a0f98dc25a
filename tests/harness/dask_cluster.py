"""A scheduler and workers of Dask, as processes on the loopback device; each test ends those that it has started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

PATIENCE_S = 30


class Cluster:
    """Processes of one test; leaving the block kills all that are left.

    Args:
        folder: for their logs and files.
        options: of scheduler and workers alike, such as those of TLS.
    """

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._options = options
        self._file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def __enter__(self) -> Self:
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self._file))
        _wait_until(lambda: self._file.exists() and self._file.read_text(), self.logs)
        self.address = json.loads(self._file.read_text())["address"]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def worker(self, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start one more worker, and wait until the scheduler knows it."""
        known = self.logs().count("Register worker")
        process = self._start("worker", self.address, "--no-nanny", "--nthreads", "1", environ=environ or {})
        _wait_until(lambda: self.logs().count("Register worker") > known, self.logs)
        return process

    def logs(self) -> str:
        """All that scheduler and workers have said."""
        return "".join(file.read_text() for file in sorted(self._folder.glob("*.log")))

    def _start(self, kind: str, *words: str, environ: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            f"distributed.cli.dask_{kind}",
            *words,
            "--host",
            "127.0.0.1",
            "--no-dashboard",
        ]
        log = self._folder / f"{kind}-{len(self._processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, *self._options],
                cwd=self._folder,
                env={**os.environ, **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process as the kernel does when memory runs out."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def _wait_until(is_so: Callable[[], object], logs: Callable[[], str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, logs()
        time.sleep(0.05)
