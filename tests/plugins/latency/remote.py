"""A place where jobs are kept elsewhere: a fake PostgREST over a real PostgreSQL, and a pollctl that samples them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import place
from plugins.latency.place import NOON

from pollctl_latency.fake import FakeApi
from pollctl_latency.fake.postgrest import SECRET_KEY, FakePostgrest
from pollctl_latency.fake.rows import PostgresRows


class Remote(place.Place):
    """Commands run in this process; what they do meets *postgrest*."""

    def __init__(self, folder: Path, api: FakeApi, postgrest: FakePostgrest) -> None:
        super().__init__(folder)
        self.api = api
        self.postgrest = postgrest
        self.configure()

    def configure(self, *, key: str = SECRET_KEY, poller: str = "pod-1", core: str = "", **settings: object) -> None:
        lines = [f"{name} = {json.dumps(value)}" for name, value in {"window": "0s", **settings}.items()]
        mirror = f'[plugins.latency.supabase]\nurl = "{self.postgrest.url}"\nkey = "{key}"\npoller = "{poller}"\n'
        (self.folder / "pollctl.toml").write_text(
            f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n[plugins.latency]\nbase_url = "{self.api.url}"\n'
            + "\n".join(lines)
            + f"\n{mirror}"
        )

    def run(self, now: str = NOON, code: int = 0) -> Any:
        return json.loads(self.do("run", "latency", "--json", now=now, code=code))

    def passes(self, *minutes: int) -> None:
        """A pass at each of these minutes after noon, all of which succeed."""
        for minute in minutes:
            self.run(f"2026-03-08T12:{minute:02d}:00Z")

    def there(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a statement answers on the other side, run by its owner."""
        done = self.postgrest.rows.execute(
            sql, values, "postgres" if isinstance(self.postgrest.rows, PostgresRows) else ""
        )
        return [tuple(row.values()) for row in done.rows]

    def create(self, target: str = "alpha", **columns: Any) -> str:
        """A job there, as the web application would create it; its id."""
        row = {
            "id": str(uuid.uuid4()), "target": target, "probe": "api", "monitoring_mode": "real_polling",
            "started_at": NOON, "cadence_seconds": 60, "duration_seconds": 3600, **columns,
        }  # fmt: skip
        marks = ", ".join("?" for _ in row)
        self.there(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({marks})", *row.values())
        return str(row["id"])

    def change(self, remote_id: str, **columns: Any) -> None:
        """What the web application changes of a job."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.there(f"UPDATE jobs SET {changes} WHERE id = ?", *columns.values(), remote_id)

    def numbers(self, remote_id: str) -> list[int]:
        """The numbers of the samples that have arrived."""
        rows = self.there("SELECT sequence_number FROM samples WHERE job_id = ? ORDER BY sequence_number", remote_id)
        return [number for (number,) in rows]

    def asked(self, method: str, table: str = "") -> list[str]:
        """Addresses of the requests that came, by method and table."""
        return [one.address for one in self.postgrest.requests if one.method == method and table in one.path]
