"""Pieces of SQL that every plugin's tables and listings need alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from sqlite_utils import Database

Row = dict[str, Any]
_LARGEST = 2**63 - 1  # as far as SQLite counts

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
"""The present moment as ``pollctl.to_text`` writes it, for ``DEFAULT (...)`` of tables that other programs write too."""


def utc(column: str) -> str:
    """A CHECK that a column holds a UTC moment that ``pollctl.from_text`` can read and that can be added to.

    Adding no days makes SQLite normalise 30 February, which then differs from what was written; IS refuses
    what is not a time at all.
    """
    normal = f"strftime('%Y-%m-%dT%H:%M:%S', {column}, '+0 days')"
    return f"{column} BETWEEN '2000' AND '2300' AND {column} LIKE '%Z' AND substr({column}, 1, 19) IS {normal}"


class Listing(Sequence[Row]):
    """The rows of a statement, each read when it is asked for: of a million, ``PluginContext.show`` reads those that it shows.

    It holds as long as the database is open.

    Args:
        db: the database.
        statement: a SELECT.
        values: what its marks stand for.
        row: what becomes of a row.
    """

    def __init__(
        self,
        db: Database,
        statement: str,
        values: Sequence[Any] | dict[str, Any] = (),
        row: Callable[[Row], Row] = lambda row: row,
    ) -> None:
        self._db = db
        self._statement = statement
        self._values = values
        self._row = row

    def then(self, row: Callable[[Row], Row]) -> Listing:
        """The same rows, of which something more becomes."""
        return Listing(self._db, self._statement, self._values, lambda values: row(self._row(values)))

    def __len__(self) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM ({self._statement})", self._values).fetchone()[0])  # noqa: S608 - own text

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, int):
            return list(self._rows(-1 if index < 0 else index + 1))[index]
        return list(self._rows(_most(index)))[index]

    def __iter__(self) -> Iterator[Row]:
        """All rows in turn, read once."""
        return self._rows(-1)

    def _rows(self, most: int) -> Iterator[Row]:
        cursor = self._db.execute(f"SELECT * FROM ({self._statement}) LIMIT {most}", self._values)  # noqa: S608 - own text
        names = [column[0] for column in cursor.description]
        return (self._row(dict(zip(names, values, strict=True))) for values in cursor)


def _most(index: slice) -> int:
    """How many rows a slice needs at most, from the first; -1 for all, as SQLite has it."""
    is_from_the_end = any(place is not None and place < 0 for place in (index.start, index.stop))
    return -1 if index.stop is None or is_from_the_end else min(index.stop, _LARGEST)


def columns(*, shown: str = "", private: str = "") -> dict[str, bool]:
    """What ``pollctl_private`` says of the columns of one table: of each, whether it is private.

    Args:
        shown: names of columns that anybody may see who sees the database in a browser, with blanks between them.
        private: names of those that read NULL there: tokens, addresses of people, payloads.
    """
    return {**dict.fromkeys(shown.split(), False), **dict.fromkeys(private.split(), True)}
