"""What a fake PostgREST keeps its rows in: SQLite, or a real PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

_SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, target TEXT NOT NULL CHECK (length(target) BETWEEN 1 AND 2000), probe TEXT NOT NULL DEFAULT 'api',
    monitoring_mode TEXT NOT NULL DEFAULT 'real_polling', status TEXT NOT NULL DEFAULT 'running'
        CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
    cadence_seconds INTEGER NOT NULL DEFAULT 60, duration_seconds INTEGER NOT NULL DEFAULT 3600,
    started_at TEXT NOT NULL, last_ping_at TEXT, completed_at TEXT, poller TEXT, claimed_at TEXT, summary TEXT
);
CREATE TABLE samples (
    job_id TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, sequence_number INTEGER NOT NULL,
    status TEXT NOT NULL, rtt_ms REAL, jitter_ms REAL, error TEXT, recorded_at TEXT NOT NULL,
    PRIMARY KEY (job_id, sequence_number), CHECK ((status = 'success') = (rtt_ms IS NOT NULL))
);
"""


class SqlError(Exception):
    """A statement failed, with the SQLSTATE of PostgreSQL."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Done(NamedTuple):
    """Rows that a statement answers, and how many it touched."""

    rows: list[dict[str, Any]]
    touched: int


class Rows(Protocol):
    """Something that executes a statement, with ``?`` for its values, as a role, in a transaction of its own."""

    def execute(self, sql: str, values: Sequence[Any], role: str) -> Done:
        """Execute it.

        Raises:
            SqlError: it failed.
        """


class SqliteRows:
    """Tables in memory, for demos and playgrounds; roles mean nothing here."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        weakref.finalize(self, self._db.close)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(f"PRAGMA foreign_keys = ON; {_SCHEMA}")
        self._lock = threading.Lock()

    def execute(self, sql: str, values: Sequence[Any], role: str) -> Done:  # noqa: ARG002 - as Rows has it
        """Execute a statement."""
        with self._lock:
            try:
                cursor = self._db.execute(sql, [_plain(value) for value in values])
                rows = [dict(row) for row in cursor.fetchall()]
            except sqlite3.IntegrityError as error:
                raise SqlError("23503" if "FOREIGN" in str(error) else "23514", str(error)) from error
            except sqlite3.OperationalError as error:
                raise SqlError("42703" if "column" in str(error) else "42P01", str(error)) from error
            return Done(rows, len(rows) if rows else max(cursor.rowcount, 0))


class PostgresRows:
    """A real PostgreSQL.

    Args:
        address: as psycopg takes it.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def execute(self, sql: str, values: Sequence[Any], role: str) -> Done:
        """Execute a statement as *role*, as PostgREST would."""
        import psycopg

        with psycopg.connect(self._address) as db:
            try:
                db.execute(f"SET LOCAL ROLE {role}".encode())
                db.execute("SET LOCAL TimeZone = 'UTC'")
                cursor = db.execute(sql.replace("?", "%s").encode(), [_plain(value) for value in values])
                rows = cursor.fetchall() if cursor.description else []
                names = [column.name for column in cursor.description or ()]
            except psycopg.Error as error:
                raise SqlError(error.sqlstate or "08000", str(error)) from error
            return Done([dict(zip(names, map(_json, row), strict=True)) for row in rows], cursor.rowcount)


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _json(value: Any) -> Any:
    """As PostgreSQL writes a value into JSON."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, int | float | str | bool | dict | list | None) else str(value)
