"""The table of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import Migrations
from pollctl.sql import utc

if TYPE_CHECKING:
    from sqlite_utils import Database


def add_to(migrations: Migrations) -> Migrations:
    """The migrations of targets, with our own after them."""

    @migrations()
    def w001_snapshots(db: Database) -> None:
        """The last texts of each watch, compressed."""
        db.execute(
            f"""CREATE TABLE watch_snapshots (
    id INTEGER PRIMARY KEY,
    target INTEGER NOT NULL REFERENCES watch_targets (id) ON DELETE CASCADE,
    at TEXT NOT NULL CHECK ({utc("at")}),
    text BLOB NOT NULL
) STRICT"""
        )
        db.execute("CREATE INDEX watch_snapshots_of_target ON watch_snapshots (target)")

    return migrations
