"""A database that becomes the sqlite-utils one when it is used as such (speed.md, start 4)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from place import Place
from sample_plugin import plain

from pollctl.store.database import open_to_write


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite_utils.Database]:
    opened = open_to_write(tmp_path / "poll.db")
    opened.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, value REAL)")
    opened.execute("INSERT INTO readings (value) VALUES (:value)", {"value": 1.5})
    yield opened
    opened.close()


def is_late(db: object) -> bool:
    return not issubclass(type(db), sqlite_utils.Database)


USES: dict[str, Callable[[sqlite_utils.Database], Any]] = {
    "a table": lambda db: db.table("readings").count,
    "an item": lambda db: [*db["readings"].rows],
    "an attribute": lambda db: db.table_names(),
    "a query of columns with one name": lambda db: [*db.query("SELECT value, value FROM readings")],
    "a query that is no plain SELECT": lambda db: [
        *db.query("INSERT INTO readings (value) VALUES (2) RETURNING value")
    ],
    "its text": repr,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_whatever_is_asked_of_it_beyond_statements_the_real_one_answers(
    db: sqlite_utils.Database, use: Callable[[sqlite_utils.Database], Any]
) -> None:
    assert is_late(db)
    connection = db.conn
    late = use(db)
    assert isinstance(db, sqlite_utils.Database)
    assert issubclass(type(db), sqlite_utils.Database)
    assert db.conn is connection
    if use is not repr:
        connection.execute("DELETE FROM readings WHERE id > 1")
        assert use(sqlite_utils.Database(connection)) == late


def test_a_query_that_sqlite_utils_refuses_is_refused(db: sqlite_utils.Database) -> None:
    with pytest.raises(ValueError, match="can only be used with SQL that returns rows"):
        db.query("DELETE FROM readings")
    assert db.execute("SELECT count(*) FROM readings").fetchone() == (1,)


def test_it_has_the_class_of_the_real_one(db: sqlite_utils.Database) -> None:
    assert isinstance(db, sqlite_utils.Database)
    assert is_late(db)


def test_statements_and_rows_leave_it_as_it_is(db: sqlite_utils.Database) -> None:
    real = sqlite_utils.Database(db.conn)
    query = "  select id, value from readings where value > ?"
    assert [*db.query(query, [1])] == [*real.query(query, [1])] == [{"id": 1, "value": 1.5}]
    assert db.execute("SELECT value FROM readings").fetchall() == [(1.5,)]
    db.conn.execute("BEGIN")
    db.execute("DELETE FROM readings")
    db.rollback()
    db.rollback()  # without a transaction it does nothing
    assert db.execute("SELECT count(*) FROM readings").fetchone() == (1,)
    assert is_late(db)


def test_it_is_closed_at_the_end_of_a_with_block_whatever_it_has_become(tmp_path: Path) -> None:
    for use in (lambda _: None, repr):
        with open_to_write(tmp_path / "poll.db") as db:
            use(db)
        with pytest.raises(Exception, match="closed"):
            db.execute("SELECT 1")


def test_triggers_set_each_other_off_as_sqlite_utils_has_it(db: sqlite_utils.Database) -> None:
    assert db.execute("PRAGMA recursive_triggers").fetchone() == (1,)


@pytest.mark.parametrize(("line", "is_imported"), [("db.execute('SELECT 1')", False), ("db['runs'].count", True)])
def test_a_pass_imports_sqlite_utils_when_its_plugin_uses_it_as_such(
    tmp_path: Path, line: str, is_imported: bool
) -> None:
    place = Place(tmp_path)
    apply = f"(db, decisions, run):\n    {line}\n    run.count(imported='sqlite_utils' in sys.modules)"
    place.plugin("plain", plain(apply=apply))
    place.settings("[plugins.plain]")
    place.do("run", "plain")
    place.sql("DELETE FROM runs")
    command = [sys.executable, "-m", "pollctl", "run", "plain"]
    done = subprocess.run(command, cwd=place.folder, env=place.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ((stats,),) = place.sql("SELECT stats FROM runs")
    assert (json.loads(stats).get("imported", 0) > 0) is is_imported
