"""What a plugin may do to the database, hook by hook (core §1.3, §1.4; reliability "Plugins")."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from sqlite_utils import Database, Migrations

from pollctl.store import database
from pollctl.store.authorizer import AuthorizedConnection

migrations = Migrations("zoo")


@migrations()
def m001(db: Database) -> None:
    db.execute("CREATE TABLE zoo_animals (id INTEGER PRIMARY KEY, name TEXT) STRICT")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(database.open_to_write(tmp_path / "poll.db", [migrations])) as db:
        with database.writing(db):
            db.execute("INSERT INTO zoo_animals (name) VALUES ('ant'), ('bear'), ('cat')")
        yield db


def guarded(db: Database) -> AuthorizedConnection:
    return cast("AuthorizedConnection", db.conn)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("INSERT INTO zoo_animals (name) VALUES ('dog')", "INSERT into zoo_animals"),
        ("UPDATE zoo_animals SET name='x'", "UPDATE of zoo_animals"),
        ("DELETE FROM zoo_animals WHERE id=1", "DELETE from zoo_animals"),
        ("COMMIT", "TRANSACTION COMMIT"),
        ("PRAGMA synchronous=OFF", "PRAGMA synchronous OFF"),
        ("ATTACH ':memory:' AS other", "ATTACH"),
        ("DROP TABLE zoo_animals", "a change of the schema"),
    ],
)
@pytest.mark.parametrize("is_cached", [False, True], ids=["fresh", "prepared before by the core"])
def test_who_may_only_read_is_refused_the_rest_and_named(
    db: Database, statement: str, named: str, is_cached: bool
) -> None:
    if is_cached and statement == "COMMIT":
        with database.writing(db):
            pass
    with database.writing(db), guarded(db).permit("read"):
        with pytest.raises(sqlite3.DatabaseError):
            db.execute(statement)
        assert named in (guarded(db).refused or "")


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("COMMIT", "TRANSACTION COMMIT"),
        ("ROLLBACK", "TRANSACTION ROLLBACK"),
        ("PRAGMA synchronous=OFF", "PRAGMA synchronous OFF"),
        ("UPDATE runs SET outcome='ok'", "UPDATE of runs"),
        ("DELETE FROM outbox", "DELETE from outbox"),
        ("INSERT INTO holds VALUES ('a', 'b', 'c')", "INSERT into holds"),
        ("CREATE TABLE zoo_more (x)", "a change of the schema"),
        ("ALTER TABLE zoo_animals ADD COLUMN age", "zoo_animals"),
    ],
)
def test_who_may_write_own_rows_is_refused_the_cores_and_the_schema(db: Database, statement: str, named: str) -> None:
    with database.writing(db), guarded(db).permit("write"):
        with pytest.raises(sqlite3.DatabaseError):
            db.execute(statement)
        assert named in (guarded(db).refused or "")


def test_a_writer_may_use_sqlite_utils_on_its_own_tables(db: Database) -> None:
    with database.writing(db), guarded(db).permit("write"):
        db.table("zoo_animals").insert_all([{"name": "eel"}, {"name": "fox"}])
        db.table("zoo_animals").upsert({"id": 1, "name": "aardvark"}, pk="id")
        with db.atomic():
            db.table("zoo_animals").update(2, {"name": "bison"})
    names = [name for (name,) in db.execute("SELECT name FROM zoo_animals ORDER BY id")]
    assert names == ["aardvark", "bison", "cat", "eel", "fox"]


def test_the_core_has_its_rights_back_afterwards_also_when_turns_are_nested(db: Database) -> None:
    with guarded(db).permit("write"):
        with guarded(db).permit("read"):
            pass
        with pytest.raises(sqlite3.DatabaseError):
            db.execute("UPDATE runs SET pid=1")
    db.execute("UPDATE runs SET pid=1")


def test_a_reader_that_pauses_in_the_middle_of_its_rows_does_not_stop_a_commit(tmp_path: Path, db: Database) -> None:
    with closing(database.open_to_read(tmp_path / "poll.db")) as reader:
        rows = reader.query("SELECT name FROM zoo_animals ORDER BY id")
        assert next(iter(rows)) == {"name": "ant"}
        db.execute("PRAGMA busy_timeout=0")
        with database.writing(db):
            db.execute("DELETE FROM zoo_animals")
        assert [row["name"] for row in rows] == ["bear", "cat"]


def test_rows_come_as_from_any_cursor(db: Database) -> None:
    cursor = db.execute("SELECT id FROM zoo_animals ORDER BY id")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany(1) == [(2,)]
    assert cursor.fetchall() == [(3,)]
    assert cursor.fetchone() is None
    assert list(db.execute("SELECT id FROM zoo_animals WHERE id > ? ORDER BY id", (1,))) == [(2,), (3,)]
    assert db.table("zoo_animals").count == 3
    returned = db.execute("INSERT INTO zoo_animals (name) VALUES ('gnu') RETURNING id").fetchone()
    assert returned == (4,)
