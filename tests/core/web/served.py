"""`pollctl web` as a process, asked over HTTP as a browser would."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from plugin_package import command


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: str
    headers: Mapping[str, str]


class Served:
    """One that runs.

    Attributes:
        login: the address that it printed.
        cookie: what it gave for that.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdout
        self.folder = folder
        self.process = process
        self.login = process.stdout.readline().strip()
        self.port = urlsplit(self.login).port or 0
        self.cookie = ""

    def ask(self, path: str, *, method: str = "GET", host: str = "", cookie: str | None = None) -> Reply:
        """Ask for a path, with the cookie unless another is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": host or f"127.0.0.1:{self.port}", "Cookie": self.cookie if cookie is None else cookie}
        with closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders()))

    def log_in(self) -> Reply:
        """Use the address that was printed."""
        path = self.login.partition(f":{self.port}")[2]
        answer = self.ask(path)
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def select(self, sql: str, kind: str = "json") -> Reply:
        """Ask a statement."""
        return self.ask(f"/pollctl{'.' + kind if kind else ''}?sql={quote(sql, safe='')}")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it with a signal; answers its exit code and what else it said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@contextmanager
def serving(folder: Path, env: Mapping[str, str], *options: str) -> Iterator[Served]:
    """Start it in a folder, and end it."""
    words = command("web", *(options or ("--port", "0")))
    process = subprocess.Popen(
        words, cwd=folder, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Served(process, folder)
    finally:
        process.kill()
        process.communicate()


def plant(db: sqlite3.Connection, table: str, canaries: Mapping[str, str]) -> None:
    """Put a row into a table, whatever its CHECKs say: canaries where there are some, anything that fits elsewhere."""
    rows = db.execute(f"PRAGMA table_xinfo({table})").fetchall()
    values = {
        name: _planted(canaries[name], kind) if name in canaries else _filling(kind) for _, name, kind, *_ in rows
    }
    db.execute("PRAGMA foreign_keys=OFF")
    db.execute("PRAGMA ignore_check_constraints=ON")
    names = ", ".join(f'"{name}"' for name in values)
    db.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", [*values.values()])


def _planted(canary: str, kind: str) -> object:
    return canary.encode() if kind == "BLOB" else canary


def _filling(kind: str) -> object:
    return {"INTEGER": 977, "REAL": 9.5, "BLOB": b"x"}.get(kind, "2026-11-28T18:00:00.000Z")
