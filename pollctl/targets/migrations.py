"""The tables of a plugin of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import Migrations
from pollctl.sql import utc

if TYPE_CHECKING:
    from sqlite_utils import Database


def migrations_of(name: str) -> Migrations:
    """The migrations of the plugin with that name."""
    found = Migrations(name)

    @found()
    def m001_targets(db: Database) -> None:
        """Targets, what is remembered of each, the news that was told and that waits, and what became of them."""
        for statement in _tables(name):
            db.execute(statement)

    @found()
    def m002_answers(db: Database) -> None:
        """By what the answer is known over which nothing is to be decided any more."""
        db.execute(f"ALTER TABLE {name}_memory ADD COLUMN answer TEXT NOT NULL DEFAULT ''")

    return found


def _tables(name: str) -> list[str]:
    targets = f"{name}_targets"
    of_target = f"target INTEGER NOT NULL REFERENCES {targets} (id) ON DELETE CASCADE"
    return [
        f"""CREATE TABLE {targets} (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    definition TEXT NOT NULL DEFAULT '',
    added TEXT,
    paused_at TEXT CHECK ({utc("paused_at")}),
    retired_at TEXT CHECK ({utc("retired_at")}),
    looked_at TEXT CHECK ({utc("looked_at")}),
    reached_at TEXT CHECK ({utc("reached_at")}),
    changed_at TEXT CHECK ({utc("changed_at")}),
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since TEXT CHECK ({utc("failing_since")}),
    error TEXT,
    is_alerted INTEGER NOT NULL DEFAULT 0 CHECK (is_alerted IN (0, 1)),
    CHECK ((failures > 0) = (failing_since IS NOT NULL)),
    CHECK ((failures > 0) = (error IS NOT NULL))
) STRICT""",
        f"CREATE INDEX {targets}_by_name ON {targets} (name)",
        f"CREATE INDEX {targets}_retired ON {targets} (retired_at) WHERE retired_at IS NOT NULL",
        f"""CREATE TABLE {name}_memory (
    target INTEGER PRIMARY KEY REFERENCES {targets} (id) ON DELETE CASCADE,
    definition TEXT NOT NULL,
    value TEXT NOT NULL,
    validators TEXT NOT NULL,
    kept_at TEXT NOT NULL CHECK ({utc("kept_at")})
) STRICT""",
        f"""CREATE TABLE {name}_told (
    {of_target},
    id TEXT NOT NULL,
    told_at TEXT NOT NULL CHECK ({utc("told_at")}),
    PRIMARY KEY (target, id)
) STRICT, WITHOUT ROWID""",
        f"""CREATE TABLE {name}_waiting (
    id INTEGER PRIMARY KEY,
    {of_target},
    news TEXT NOT NULL,
    came_at TEXT NOT NULL CHECK ({utc("came_at")}),
    due_at TEXT NOT NULL CHECK ({utc("due_at")}),
    is_personal INTEGER NOT NULL CHECK (is_personal IN (0, 1))
) STRICT""",
        f"CREATE INDEX {name}_waiting_of_target ON {name}_waiting (target)",
        f"""CREATE TABLE {name}_history (
    id INTEGER PRIMARY KEY,
    {of_target},
    at TEXT NOT NULL CHECK ({utc("at")}),
    text TEXT NOT NULL
) STRICT""",
        f"CREATE INDEX {name}_history_of_target ON {name}_history (target)",
    ]
