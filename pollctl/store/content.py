"""What is in the database as a whole: whether it is sound, its schema, the room that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl.store.database import APPLICATION_ID

if TYPE_CHECKING:
    from sqlite_utils import Database


def compact(db: Database) -> None:
    """Give the room of deleted rows back to the disk; nobody else can write meanwhile, and it takes as much room again."""
    db.conn.execute("VACUUM")
    db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # nothing happens without a WAL


def problems(db: Database) -> list[str]:
    """What SQLite's own checks find: damaged pages, broken references; empty when all is well."""
    found = [row[0] for row in db.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
    found += [f"{row[0]} row {row[1]}: no such row in {row[2]}" for row in db.execute("PRAGMA foreign_key_check")]
    return found


def is_header(head: bytes) -> bool:
    """Whether the first 100 bytes of a file are those of a database of pollctl, of whatever version."""
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION_ID.to_bytes(4)


def schema(db: Database) -> str:
    """The whole schema as SQL, in the order in which it was created."""
    rows = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
    return "\n".join(f"{sql};" for (sql,) in rows) + "\n"
