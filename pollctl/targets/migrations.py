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
        """By what the answer is known over which nothing is to be decided any more.

        What is remembered comes last: a long text is not read then for what stands before it.
        """
        memory, columns = f"{name}_memory", "target, definition, validators, kept_at, value"
        db.execute(_memory(f"{memory}_new", name))
        db.execute(f"INSERT INTO {memory}_new ({columns}) SELECT {columns} FROM {memory}")  # noqa: S608 - names of our own
        db.execute(f"DROP TABLE {memory}")
        db.execute(f"ALTER TABLE {memory}_new RENAME TO {memory}")

    @found()
    def m003_notify(db: Database) -> None:
        """Whom targets name that were added by a command: secrets."""
        db.execute(
            f"""CREATE TABLE {name}_notify (
    target INTEGER NOT NULL REFERENCES {name}_targets (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (target, number)
) STRICT, WITHOUT ROWID"""
        )

    return found


def _memory(table: str, name: str) -> str:
    return f"""CREATE TABLE {table} (
    target INTEGER PRIMARY KEY REFERENCES {name}_targets (id) ON DELETE CASCADE,
    definition TEXT NOT NULL,
    validators TEXT NOT NULL,
    answer TEXT NOT NULL DEFAULT '',
    kept_at TEXT NOT NULL CHECK ({utc("kept_at")}),
    value TEXT NOT NULL
) STRICT"""


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
