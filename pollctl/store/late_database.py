"""A database of sqlite-utils that is made when it is first used as one.

Importing sqlite-utils takes a sixth of a pass that finds nothing to do, and statements do not need it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from sqlite_utils import Database

_CLASS = object.__dict__["__class__"]


def database_on(connection: sqlite3.Connection) -> Database:
    """A ``sqlite_utils.Database`` on a connection that begins no transactions by itself."""
    return cast("Database", _LateDatabase(connection))


class _LateDatabase:
    """It has ``conn``, ``execute`` and ``query``; asked for anything else, it becomes the real one, whose class it has."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.conn = connection
        # as the real one would, which may become it where no PRAGMA is allowed
        connection.execute("PRAGMA recursive_triggers=on")

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> sqlite3.Cursor:
        return self.conn.execute(sql, parameters or ())

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Rows as dicts; what is not plainly a SELECT is for the real one, which holds it against its rules."""
        if sql.lstrip()[:6].upper() != "SELECT":
            return self._real().query(sql, params)  # type: ignore[arg-type]
        cursor = self.execute(sql, params)
        keys = [column[0] for column in cursor.description]
        if len(set(keys)) < len(keys):
            return self._real().query(sql, params)  # type: ignore[arg-type]
        return (dict(zip(keys, row, strict=True)) for row in cursor)

    def close(self) -> None:
        self.conn.close()

    def rollback(self) -> None:
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")

    def _real(self) -> Database:
        from pollctl.store.strict_database import StrictDatabase

        connection = self.conn
        _CLASS.__set__(self, StrictDatabase)
        real = cast("Database", self)
        StrictDatabase.__init__(real, connection, recursive_triggers=False, execute_plugins=False)
        return real

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """What ``isinstance`` asks for, which looks no further where it finds the real one's type in the meantime."""
        from pollctl.store.strict_database import StrictDatabase

        return StrictDatabase

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __getitem__(self, name: str) -> Any:
        return self._real()[name]

    def __enter__(self) -> Database:
        return cast("Database", self)

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._real())
