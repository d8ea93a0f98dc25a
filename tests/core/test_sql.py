"""The CHECK of a moment takes what ``pollctl.to_text`` writes and nothing that Python could not read again."""

from __future__ import annotations

import sqlite3

import pytest

from pollctl import sql


@pytest.fixture
def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE moments (at TEXT DEFAULT ({sql.NOW}) CHECK ({sql.utc('at')})) STRICT")
    return connection


@pytest.mark.parametrize("text", ["2026-02-28T23:59:59.123Z", "2028-02-29T00:00:00Z", None])
def test_a_moment_is_taken(table: sqlite3.Connection, text: str | None) -> None:
    table.execute("INSERT INTO moments VALUES (?)", (text,))


def test_the_present_moment_is_taken(table: sqlite3.Connection) -> None:
    table.execute("INSERT INTO moments DEFAULT VALUES")


@pytest.mark.parametrize(
    "text",
    ["2026-02-30T00:00:00.000Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-28T24:00:00Z",
     "1999-12-31T00:00:00Z", "2300-01-01T00:00:00Z", "2026-02-28T00:00:00", "2026-02-28", "soon", ""],
)  # fmt: skip
def test_what_is_not_a_moment_is_refused(table: sqlite3.Connection, text: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        table.execute("INSERT INTO moments VALUES (?)", (text,))
