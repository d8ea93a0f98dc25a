"""A place where passes meet a fake Marketing Cloud; commands run in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import place

from pollctl import to_text
from pollctl_shell_query.fake import COMPLETE, FakeMarketingCloud, Reply

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
SQL = "SELECT Name, Opens FROM Subscribers WHERE Opens > 1"
BUSY = Reply(status=503, headers={"Retry-After": "90"})


def at(seconds: float = 0) -> str:
    """A moment so many seconds after noon, as the database keeps it."""
    return to_text(NOON + timedelta(seconds=seconds))


class Place(place.Place):
    """A settings file and a database; commands run in this process, at noon where nothing else is said."""

    def __init__(self, folder: Path, upstream: FakeMarketingCloud) -> None:
        super().__init__(folder)
        self.upstream = upstream
        self.now = at()
        self.configure()

    def configure(self, *, core: str = "", **settings: object) -> None:
        section = self.upstream.settings(**{"jitter": 0, **settings})
        (self.folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n{section}\n')

    def run(self, seconds: float = 0, code: int = 0) -> Any:
        """A pass so many seconds after noon."""
        self.upstream.now = NOON + timedelta(seconds=seconds)
        return json.loads(self.do("run", "shell_query", "--json", now=at(seconds), code=code))

    def submit(self, *arguments: str, seconds: float = 0, sql: str = SQL) -> str:
        where = () if "--create-target" in arguments or "--target" in arguments else ("--target", "DE_1")
        return self.do("shell-query", "submit", "--sql", sql, *where, *arguments, now=at(seconds)).strip()

    def started(self, *arguments: str, seconds: float = 0, sql: str = SQL) -> str:
        """A run that is running since so many seconds after noon."""
        run_id = self.submit(*arguments, seconds=seconds, sql=sql)
        self.run(seconds)
        assert self.row(run_id) == "running"
        return run_id

    def ready(self, rows: Sequence[Mapping[str, object]]) -> str:
        """A run that is ready, with these rows."""
        self.upstream.script = [COMPLETE]
        self.upstream.rows = [{"keys": {}, "values": row} for row in rows]
        run_id = self.started()
        self.run(2)
        self.upstream.asked.clear()
        return run_id

    def row(self, run_id: str, columns: str = "status") -> Any:
        (row,) = self.sql(
            f"SELECT {columns} FROM shell_query_runs LEFT JOIN shell_query_polls ON run_id = id WHERE id = ?", [run_id]
        )
        return row if len(row) > 1 else row[0]

    def effects(self, kind: str) -> list[tuple[str, str]]:
        return self.sql("SELECT key, status FROM outbox WHERE kind = ? ORDER BY id", [kind])

    def take_requests(self) -> list[str]:
        """The kinds of the requests since the last call."""
        kinds, self.upstream.asked = self.upstream.asked, []
        self.upstream.details.clear()
        return kinds

    def shown(self, *arguments: str) -> Any:
        return json.loads(self.do("shell-query", *arguments, "--json"))
