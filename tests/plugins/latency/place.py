"""A place where passes of latency meet a fake API."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import place

from pollctl_latency.fake import BROKEN, LOST, FakeApi, Reply

NOON = "2026-03-08T12:00:00Z"
SCRIPT = {
    "slow": [Reply(elapsed=900, delay=0.9)],
    "silent": [Reply(delay=30)],
    "gone": [LOST],
    "broken": [BROKEN],
    "garbage": [Reply(body=b"<html>")],
    "comes and goes": [Reply(elapsed=10), Reply(elapsed=20), LOST, Reply(elapsed=40), BROKEN],
}


class Place(place.Place):
    """A settings file, a database and an API; commands run in this process, but for passes that are started."""

    def __init__(self, folder: Path, api: FakeApi) -> None:
        super().__init__(folder)
        self.api = api
        self.under_way: list[subprocess.Popen[str]] = []
        self.configure()

    def configure(self, *, window: str = "0s", timeout: str = "2s", core: str = "", **settings: object) -> None:
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        (self.folder / "pollctl.toml").write_text(
            f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n[plugins.latency]\nbase_url = "{self.api.url}"\n'
            f'window = "{window}"\ntimeout = "{timeout}"\n' + "\n".join(lines)
        )

    def run(self, now: str = "", code: int = 0) -> Any:
        return json.loads(self.do("run", "latency", "--json", now=now, code=code))

    def start(self) -> subprocess.Popen[str]:
        """Start a pass in a process of its own."""
        process = self.popen("run", "latency", "--json")
        self.under_way.append(process)
        return process

    def add(self, target: str, *words: str, now: str = NOON) -> int:
        return int(json.loads(self.do("latency", "add", target, *words, "--json", now=now))["id"])

    def insert(self, target: str, **columns: object) -> None:
        row = {"target": target, **columns}
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        self.sql(f"INSERT INTO latency_jobs ({names}) VALUES ({marks})", list(row.values()))

    def statuses(self, target: str) -> list[str]:
        return [
            status
            for (status,) in self.sql(
                """SELECT sample.status FROM latency_samples AS sample JOIN latency_jobs ON id = job_id
                   WHERE target = ? ORDER BY sequence_number""",
                [target],
            )
        ]

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline, "it did not happen within ten seconds"
            time.sleep(0.02)

    def close(self) -> None:
        """Kill what a test left running."""
        for process in self.under_way:
            process.kill()
            process.communicate()


def exit_code_of(process: subprocess.Popen[str], sent: signal.Signals | None = None, *, timeout: float = 20) -> int:
    if sent:
        process.send_signal(sent)
    process.communicate(timeout=timeout)
    return process.returncode
