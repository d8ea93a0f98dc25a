"""What the tests of shell_query share: a place where passes meet a fake Marketing Cloud."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pollctl import to_text
from pollctl.cli import start
from pollctl_shell_query.fake.upstream import FakeMarketingCloud

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
SQL = "SELECT Name, Opens FROM Subscribers WHERE Opens > 1"


def at(seconds: float = 0) -> str:
    """A moment so many seconds after noon, as the database keeps it."""
    return to_text(NOON + timedelta(seconds=seconds))


class Place:
    """A settings file and a database; commands run in this process."""

    def __init__(self, folder: Path, upstream: FakeMarketingCloud) -> None:
        self.folder = folder
        self.upstream = upstream
        self.stderr = ""
        self.settle()

    def settle(self, *, core: str = "", **settings: object) -> None:
        section = self.upstream.settings(**{"jitter": 0, **settings})
        (self.folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n{section}\n')

    def do(self, *words: str, now: str = at(), code: int = 0) -> str:
        out, err = io.StringIO(), io.StringIO()
        before = os.environ.get("POLLCTL_NOW")
        os.environ["POLLCTL_NOW"] = now
        try:
            with redirect_stdout(out), redirect_stderr(err):
                answered = start(["--config", str(self.folder / "pollctl.toml"), *words])
        finally:
            os.environ.pop("POLLCTL_NOW") if before is None else os.environ.update(POLLCTL_NOW=before)
        self.stderr = err.getvalue()
        assert answered == code, (answered, out.getvalue(), self.stderr)
        return out.getvalue()

    def run(self, seconds: float = 0, code: int = 0) -> Any:
        """A pass so many seconds after noon."""
        self.upstream.now = NOON + timedelta(seconds=seconds)
        return json.loads(self.do("run", "shell_query", "--json", now=at(seconds), code=code))

    def submit(self, *words: str, seconds: float = 0, sql: str = SQL) -> str:
        where = () if "--create-target" in words or "--target" in words else ("--target", "DE_1")
        return self.do("shell-query", "submit", "--sql", sql, *where, *words, now=at(seconds)).strip()

    def started(self, *words: str, seconds: float = 0, sql: str = SQL) -> str:
        """A run that is running since so many seconds after noon."""
        run_id = self.submit(*words, seconds=seconds, sql=sql)
        self.run(seconds)
        assert self.row(run_id) == "running"
        return run_id

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "pollctl.db", timeout=20)) as db, db:
            return db.execute(statement, values).fetchall()

    def row(self, run_id: str, columns: str = "status") -> Any:
        (row,) = self.sql(
            f"SELECT {columns} FROM shell_query_runs LEFT JOIN shell_query_polls ON run_id = id WHERE id = ?", [run_id]
        )
        return row if len(row) > 1 else row[0]

    def effects(self, kind: str) -> list[tuple[str, str]]:
        return self.sql("SELECT key, status FROM outbox WHERE kind = ? ORDER BY id", [kind])

    def shown(self, *words: str) -> Any:
        return json.loads(self.do("shell-query", *words, "--json"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place with an upstream that works; in memory where it can be, as a disk under load takes seconds for a commit."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=parent) as folder, FakeMarketingCloud() as upstream:
        yield Place(Path(folder), upstream)
