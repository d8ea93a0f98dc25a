"""What is in the database as a whole: whether it is sound, its schema, the room that it takes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from pollctl.api.migrations import TABLE
from pollctl.redaction import shorten
from pollctl.store.authorizer import CORE_TABLES
from pollctl.store.database import APPLICATION_ID, as_migrated
from pollctl.store.migrations import migrations as core_migrations

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


class Difference(NamedTuple):
    """One way in which the core's part of the schema is not as its migrations make it; harmless where nothing reads it."""

    text: str
    is_harmless: bool = False


def differences(db: Database) -> list[Difference]:
    """How the core's tables, and what stands on them, differ from what its migrations made; empty when they do not."""
    with closing(as_migrated(core_migrations.applied(db))) as made:
        expected, there = _core_objects(made), _core_objects(db)
    found = [_missing(one, sql) for one, sql in expected.items() if one not in there]
    found += [
        Difference(f"the {one.kind} {one.name} is not as pollctl made it; restore a backup")
        for one, sql in expected.items()
        if one in there and there[one].split() != sql.split()
    ]
    return found + [_surplus(one) for one in there if one not in expected]


class _Object(NamedTuple):
    kind: str
    name: str
    table: str


def _core_objects(db: Database) -> dict[_Object, str]:
    rows = db.execute("SELECT type, name, lower(tbl_name), sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    of_sqlite_utils = {TABLE}  # whose layout is that of its version
    return {_Object(*row[:3]): row[3] for row in rows if row[2] in CORE_TABLES - of_sqlite_utils}


def _missing(one: _Object, sql: str) -> Difference:
    remedy = "restore a backup" if one.kind == "table" else f"make it again: {shorten(sql, 400)}"
    return Difference(f"the {one.kind} {one.name} of pollctl is missing; {remedy}")


def _surplus(one: _Object) -> Difference:
    remedy = f"`DROP {one.kind.upper()} {one.name}` unless you know why it is there"
    return Difference(f"the {one.kind} {one.name} on {one.table} is not pollctl's; {remedy}", one.kind == "index")


def is_header(head: bytes) -> bool:
    """Whether the first 100 bytes of a file are those of a database of pollctl, of whatever version."""
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION_ID.to_bytes(4)


def schema(db: Database) -> str:
    """The whole schema as SQL, in the order in which it was created."""
    rows = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
    return "\n".join(f"{sql};" for (sql,) in rows) + "\n"
