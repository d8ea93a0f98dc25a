"""The CHECK of a moment takes what ``pollctl.to_text`` writes and nothing that Python could not read again."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from sqlite_utils import Database

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


@pytest.fixture
def numbers() -> tuple[sql.Listing, list[int]]:
    """A listing of the numbers below a thousand, and those that were read of them."""
    read: list[int] = []

    def noted(row: dict[str, Any]) -> dict[str, Any]:
        read.append(row["n"])
        return row

    db = Database(memory=True)
    db.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    db.execute("INSERT INTO numbers SELECT value FROM json_each(?)", [json.dumps(list(range(1000)))])
    return sql.Listing(db, "SELECT n FROM numbers WHERE n < ?1 ORDER BY n DESC", [500], noted), read


def test_a_listing_reads_the_rows_that_are_shown_and_counts_the_others(numbers: tuple[sql.Listing, list[int]]) -> None:
    listing, read = numbers
    assert (len(listing), read) == (500, [])
    assert listing[:3] == [{"n": 499}, {"n": 498}, {"n": 497}]
    assert read == [499, 498, 497]
    assert listing[4] == {"n": 495}
    assert read[3:] == [499, 498, 497, 496, 495]
    assert [row["n"] for row in listing] == list(range(499, -1, -1))


@pytest.mark.parametrize(
    "index", [0, 3, -1, slice(None), slice(2, 5), slice(-3, None), slice(0, -490), slice(0, 9, 2), slice(10**30)]
)
def test_a_listing_has_the_rows_that_a_list_would_have(
    numbers: tuple[sql.Listing, list[int]], index: int | slice
) -> None:
    listing, _ = numbers
    assert listing[index] == [{"n": n} for n in range(499, -1, -1)][index]


def test_more_becomes_of_the_rows_of_a_listing(numbers: tuple[sql.Listing, list[int]]) -> None:
    listing, _ = numbers
    assert listing.then(lambda row: {"double": row["n"] * 2})[:1] == [{"double": 998}]
