"""What holds even where one of the other protections does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from core.web.served import serving
from full_database import lay_out
from plugin_package import clean_environment, make_plugin_package

from pollctl.store.shown_columns import shown_columns
from pollctl.web.connection import ShowingConnection, connect


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[ShowingConnection]:
    lay_out(tmp_path, is_full=True)
    with closing(connect(tmp_path / "pollctl.db")) as found:
        yield found


def test_nothing_can_be_read_before_it_is_known_what_may_be(connection: ShowingConnection) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="prohibited"):
        connection.execute("SELECT id FROM runs")


def test_nothing_can_be_written_even_without_the_authorizer(connection: ShowingConnection) -> None:
    connection.set_authorizer(None)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM runs")
    assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)


def test_nothing_can_be_written_even_where_the_connection_could(connection: ShowingConnection) -> None:
    connection.set_authorizer(None)
    connection.execute("PRAGMA query_only=OFF")
    connection.judge()
    for statement in (
        "DELETE FROM runs",
        "CREATE TABLE x (y)",
        "PRAGMA user_version=9",
        "ATTACH 'x' AS x",
        "BEGIN",
        "VACUUM",
    ):
        with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|authorization denied"):
            connection.execute(statement)


def test_private_columns_are_null_through_every_cursor(connection: ShowingConnection) -> None:
    connection.look_again(lambda db: shown_columns(db, {}))
    for cursor in (connection.cursor(), connection):
        assert cursor.execute("SELECT DISTINCT payload FROM outbox").fetchall() == [(None,)]
        with pytest.raises(sqlite3.OperationalError, match="USING and NATURAL"):
            cursor.execute("SELECT payload FROM outbox FULL JOIN (SELECT 1 AS payload) USING (payload)")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("x_words (rowid TEXT, n INTEGER)", "rowid"),
        ("x_words (word INTEGER PRIMARY KEY DESC, n INTEGER)", "word"),
        ("x_words (word INTEGER PRIMARY KEY, n INTEGER) WITHOUT ROWID", "word"),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_column_that_looks_like_the_number_of_its_row_is_private_where_it_is_not(
    connection: ShowingConnection, tmp_path: Path, table: str, column: str, *, is_named: bool
) -> None:
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db, db:
        db.execute(f"CREATE TABLE {table}")
        db.execute("INSERT INTO x_words VALUES ('canary', 1)")
    declared = {"x_words": {"n": False} | ({column: True} if is_named else {})}
    connection.look_again(lambda db: shown_columns(db, {"x": (declared, ())}))
    assert connection.execute(f"SELECT {column}, n FROM x_words").fetchall() == [(None, 1)]


def test_the_number_of_a_row_is_shown_whatever_it_is_called(connection: ShowingConnection, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db, db:
        db.execute("CREATE TABLE x_keyed (id INTEGER PRIMARY KEY, word TEXT)")
        db.execute("CREATE TABLE x_plain (word TEXT)")
        for table in ("x_keyed", "x_plain"):
            db.execute(f"INSERT INTO {table} (word) VALUES ('canary')")
    connection.look_again(lambda db: shown_columns(db, {"x": ({"x_keyed": {}, "x_plain": {}}, ())}))
    assert connection.execute("SELECT id, rowid, oid, word FROM x_keyed").fetchall() == [(1, 1, 1, None)]
    assert connection.execute("SELECT rowid, oid, word FROM x_plain").fetchall() == [(1, 1, None)]


@pytest.mark.parametrize(
    "sql", ["?1using", "1natural", "x'ab'USING", "/**/using/**/", "using(", "natuRAL join", "]using["]
)
def test_the_words_of_such_joins_are_found_wherever_sqlite_finds_them(connection: ShowingConnection, sql: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="USING and NATURAL"):
        connection.execute(sql)


def test_other_plugins_of_datasette_are_left_out_and_facets_are_not_guessed(tmp_path: Path) -> None:
    """Those of Datasette that happen to be installed would see every row, and guesses cost a statement for each column."""
    pytest.importorskip("datasette")
    source = "from datasette import hookimpl\n\n@hookimpl\ndef extra_body_script():\n    return 'stranger()'\n"
    lay_out(tmp_path, is_full=True)
    env = make_plugin_package(tmp_path, "stranger", source, group="datasette", env=clean_environment(tmp_path))
    with serving(tmp_path, env) as served:
        served.log_in()
        assert "stranger" not in served.ask("/-/plugins.json").body
        page = served.ask("/pollctl/runs").body
        assert ("stranger" in page, "uggested facets" in page) == (False, False)
