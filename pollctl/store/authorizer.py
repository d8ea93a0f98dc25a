"""A SQLite connection that knows whose access it is, and refuses a plugin what its hook may not do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

Access = Literal["read", "write"]

CORE_TABLES = frozenset(
    {
        *("runs", "schedules", "next_due", "outbox", "outbox_addresses", "recordings", "holds", "printed", "tireless"),
        *("idle", "validators"),
        *("purity", "_sqlite_migrations"),
    }
)
PRIVATE_TABLES = frozenset({"outbox_addresses"})
"""What no hook may read: secrets of other plugins' people."""
_SCHEMA_TABLES = frozenset({"sqlite_master", "sqlite_temp_master"})
_READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_WRITES = {
    sqlite3.SQLITE_INSERT: "INSERT into",
    sqlite3.SQLITE_UPDATE: "UPDATE of",
    sqlite3.SQLITE_DELETE: "DELETE from",
}
_ASKING_PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"}
)
_NAMES = {
    getattr(sqlite3, name): name.removeprefix("SQLITE_").replace("_", " ")
    for name in ("SQLITE_TRANSACTION", "SQLITE_PRAGMA", "SQLITE_ATTACH", "SQLITE_DETACH")
}


class _EagerCursor(sqlite3.Cursor):
    """A cursor that has read all its rows when ``execute`` returns.

    A generator that pauses in the middle of a SELECT would hold a read lock over the commit of its own batch and stop it.
    """

    _rows: Iterator[Any] = iter(())

    def execute(self, sql: str, parameters: Any = (), /) -> _EagerCursor:
        super().execute(sql, parameters)
        self._rows = iter(super().fetchall()) if self.description else iter(())
        return self

    def __iter__(self) -> _EagerCursor:
        return self

    def __next__(self) -> Any:
        return next(self._rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return list(islice(self._rows, size or self.arraysize))

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class AuthorizedConnection(sqlite3.Connection):
    """A connection whose ``permit`` narrows what may be done while a plugin has it."""

    refused: str | None = None
    _access: Access | None = None

    def cursor(self, factory: Any = _EagerCursor) -> Any:
        """Open a cursor that reads all its rows at once."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """Execute through such a cursor (sqlite3 itself would take a plain one)."""
        return self.cursor().execute(sql, parameters)

    def close(self) -> None:
        """Close the connection, unless it is lent to a plugin.

        Raises:
            sqlite3.DatabaseError: it is.
        """
        if self._access:
            self.refused = "closing its connection"
            raise sqlite3.DatabaseError("not authorized")
        super().close()

    @contextmanager
    def permit(self, access: Access) -> Iterator[None]:
        """Let a plugin only read, or read and write rows of any table but the core's; other attempts stand in ``refused``."""
        self.refused, before = None, self._access
        self._take(access)
        try:
            yield
        finally:
            self._take(before)

    def _take(self, access: Access | None) -> None:
        """Setting the authorizer again also has SQLite judge statements again that were prepared under another permission."""
        self._access = access
        self.set_authorizer(self._judge if access else None)

    def _judge(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        refusal = _refusal(self._access or "write", action, first, second)
        if refusal is None:
            return sqlite3.SQLITE_OK
        self.refused = refusal
        return sqlite3.SQLITE_DENY


def _refusal(  # noqa: PLR0911 - a ladder
    access: Access, action: int, first: str | None, second: str | None
) -> str | None:
    """What is wrong with one action of a statement, or None (https://www.sqlite.org/c3ref/c_alter_table.html)."""
    if action == sqlite3.SQLITE_READ and first in PRIVATE_TABLES:
        return f"SELECT from {first}"
    if action in _READS:
        return None
    if action == sqlite3.SQLITE_PRAGMA and first in _ASKING_PRAGMAS:
        return None
    if action == sqlite3.SQLITE_SAVEPOINT:  # sqlite-utils puts one around every query
        return None
    if action in _WRITES and first in _SCHEMA_TABLES:
        return "a change of the schema"
    if action in _WRITES:
        if access == "write" and first not in CORE_TABLES:
            return None
        return f"{_WRITES[action]} {first}"
    return " ".join(filter(None, (_NAMES.get(action, "a change of the schema of"), first, second)))
