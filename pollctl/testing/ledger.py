"""What the database of a bench says: decisions, effects, and the rows of the plugin's own tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pollctl.plugin_host.conformance.recordings import read_back
from pollctl.testing.result import QueuedEffect, Row


class Ledger:
    """A database, read as often as a test likes; there need not be one yet.

    Args:
        path: of the file.
        plugin: whose tables are meant.
    """

    def __init__(self, path: Path, plugin: str) -> None:
        self.path, self.plugin = path, plugin

    def query(self, statement: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows that answer a statement; what it writes stays."""
        if not self.path.exists():
            return []
        with self._opened() as db:
            return [dict(row) for row in db.execute(statement, values)]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=20)) as db, db:
            db.row_factory = sqlite3.Row
            yield db

    def rows(self) -> dict[str, list[Row]]:
        """All rows of each table that the plugin's migrations made."""
        made = self.query("SELECT tables FROM plugin_tables WHERE plugin = ?", [self.plugin])
        names = [name for name in json.loads(made[0]["tables"]) if not name.startswith("sqlite_")] if made else []
        return {name: list(self.query(f'SELECT * FROM "{name}"')) for name in sorted(names)}  # noqa: S608 - names of tables

    def effects(self, run_id: str = "") -> list[QueuedEffect]:
        """The plugin's effects, or those that one run queued, in the order of their keys' coming."""
        rows = self.query(
            "SELECT kind, key, lane, payload, status, last_error, result FROM outbox "
            "WHERE plugin = ? AND run_id LIKE ? ORDER BY id",
            [self.plugin, run_id or "%"],
        )
        return [_effect(row) for row in rows]

    def decisions(self, run_id: str, kind: Any) -> list[Any]:
        """What decide answered in a run, of its own types."""
        rows = self.query("SELECT decisions FROM recordings WHERE run_id = ? ORDER BY seq", [run_id])
        return [one for row in rows if row["decisions"] for one in read_back(row["decisions"], list[kind])]

    def run_ids(self) -> list[str]:
        """Of every pass."""
        return [row["id"] for row in self.query("SELECT id FROM runs")]


def _effect(row: Row) -> QueuedEffect:
    return QueuedEffect(
        kind=row["kind"],
        key=row["key"],
        lane=row["lane"],
        payload=json.loads(row["payload"]),
        status=row["status"],
        error=row["last_error"],
        result=json.loads(row["result"]) if row["result"] else None,
    )
