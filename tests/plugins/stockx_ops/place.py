"""A place where passes of stockx_ops meet a fake StockX."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import place

from pollctl import to_text
from pollctl_stockx_ops.fake import FakeStockX

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)


def at(seconds: float = 0) -> str:
    """A moment so many seconds after noon, as the database keeps it."""
    return to_text(NOON + timedelta(seconds=seconds))


class Place(place.Place):
    """A settings file and a database; commands run in this process unless they are started in one of their own."""

    def __init__(self, folder: Path, upstream: FakeStockX) -> None:
        super().__init__(folder)
        self.upstream = upstream
        self.now = at()
        self.configure()

    def configure(self, *, core: str = "", **settings: object) -> None:
        section = self.upstream.settings(**{"rate": "1000/s", **settings})
        text = f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n{section}\n'
        (self.folder / "pollctl.toml").write_text(text)

    def run(self, now: str = at(), code: int = 0) -> Any:
        return json.loads(self.do("run", "stockx_ops", "--json", now=now, code=code))

    def ask(self, *words: str) -> Any:
        return json.loads(self.do("stockx-ops", *words, "--json"))

    def start(self, now: str, *words: str) -> subprocess.Popen[str]:
        """A pass, or another command, in a process of its own."""
        return self.popen(*(words or ("run", "stockx_ops", "--json")), now=now)

    def connect(self, user: str, *words: str) -> None:
        """Connect a user of the upstream."""
        token = f"refresh-{user}-start"
        self.upstream.users[token] = user
        self.env["FAKE_REFRESH_TOKEN"] = token
        self.do("stockx-ops", "account", "connect", user, "--refresh-token-env", "FAKE_REFRESH_TOKEN", *words)

    def insert(self, job_id: str, user: str = "anna", job_type: str = "create_listing", **columns: object) -> None:
        """A job as another program would write it."""
        row = {"id": job_id, "user_id": user, "job_type": job_type, "stockx_operation_id": f"op-{job_id}", **columns}
        row = {"stockx_listing_id": f"listing-{job_id}", "started_at": at(-60), **row}
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        self.sql(f"INSERT INTO stockx_batch_jobs ({names}) VALUES ({marks})", list(row.values()))

    def job(self, job_id: str, columns: str = "status, error_code, error_message") -> Any:
        (row,) = self.sql(f"SELECT {columns} FROM stockx_batch_jobs WHERE id = ?", [job_id])
        return row if len(row) > 1 else row[0]

    def history(self, job_id: str) -> list[tuple[str, Any]]:
        rows = self.sql("SELECT status, metadata FROM stockx_listing_history WHERE job_id = ? ORDER BY id", [job_id])
        return [(status, json.loads(metadata)) for status, metadata in rows]

    def effects(self, kind: str) -> list[tuple[str, str, Any]]:
        rows = self.sql("SELECT key, status, result FROM outbox WHERE key GLOB ? || ':*' ORDER BY id", [kind])
        return [(key, status, json.loads(result or "null")) for key, status, result in rows]
