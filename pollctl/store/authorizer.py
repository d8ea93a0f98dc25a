"""A SQLite connection that knows whose access it is, and refuses a plugin what its hook may not do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from sqlite_utils import Database

Access = Literal["read", "write", "migrate"]
Refuse = Callable[[str], str]
"""Why a table may not be written, as words to go behind its name; empty where it may."""

CORE_TABLES = frozenset(
    {
        *("runs", "schedules", "next_due", "outbox", "outbox_addresses", "recordings", "holds", "printed", "tireless"),
        *("idle", "validators", "outbox_attachments"),
        *("purity", "plugin_tables", "_sqlite_migrations"),
    }
)
PRIVATE_TABLES = frozenset({"outbox_addresses", "outbox_attachments"})
"""What no hook may read: secrets of other plugins' people, and what goes to them."""
_SCHEMA_TABLES = frozenset({"sqlite_master", "sqlite_temp_master"})
READS = {
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
ASKING_PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"}
)
_OF_TABLES = {
    sqlite3.SQLITE_CREATE_TABLE: "CREATE TABLE",
    sqlite3.SQLITE_CREATE_VIEW: "CREATE VIEW",
    sqlite3.SQLITE_CREATE_VTABLE: "CREATE VIRTUAL TABLE",
    sqlite3.SQLITE_DROP_TABLE: "DROP TABLE",
    sqlite3.SQLITE_DROP_VIEW: "DROP VIEW",
    sqlite3.SQLITE_DROP_VTABLE: "DROP TABLE",
}
_BESIDE_TABLES = {
    sqlite3.SQLITE_CREATE_INDEX: "CREATE INDEX on",
    sqlite3.SQLITE_CREATE_TRIGGER: "CREATE TRIGGER on",
    sqlite3.SQLITE_DROP_INDEX: "DROP INDEX of",
    sqlite3.SQLITE_DROP_TRIGGER: "DROP TRIGGER of",
}
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


def refused_of_core(table: str) -> str:
    """Why no plugin may write this table; empty if it is not one of the core's."""
    return ", a table of pollctl" if table.lower() in CORE_TABLES else ""


class AuthorizedConnection(sqlite3.Connection):
    """A connection whose ``permit`` narrows what may be done while a plugin has it."""

    refused: str | None = None
    _access: Access | None = None
    _refuse: Refuse = staticmethod(refused_of_core)

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
    def permit(self, access: Access, refuse: Refuse | None = None) -> Iterator[None]:
        """Let a plugin do no more than its hook may; other attempts stand in ``refused``.

        Args:
            access: ``read``; ``write`` for rows too; ``migrate`` for the schema too.
            refuse: says of the name of a table why the plugin may not write it; without, it may write all but the core's.
        """
        self.refused = None
        with self.turn(access, refuse or refused_of_core):
            yield

    @contextmanager
    def turn(self, access: Access | None, refuse: Refuse) -> Iterator[None]:
        """As ``permit``, within what is permitted; None lets the core do what it will."""
        before = self._access, self._refuse
        self._take(access, refuse)
        try:
            yield
        finally:
            self._take(*before)

    def _take(self, access: Access | None, refuse: Refuse) -> None:
        """Setting the authorizer again also has SQLite judge statements again that were prepared under another permission."""
        self._access, self._refuse = access, refuse
        self.set_authorizer(self._judge if access else None)

    def _judge(self, action: int, first: str | None, second: str | None, schema: str | None, _: str | None) -> int:
        if action in READS and first not in PRIVATE_TABLES:
            return sqlite3.SQLITE_OK
        attempt = _Attempt(action, first or "", second or "", schema or "")
        refusal = (_of_migration if self._access == "migrate" else _of_hook)(attempt, self._access, self._refuse)
        if refusal is None:
            return sqlite3.SQLITE_OK
        self.refused = refusal
        return sqlite3.SQLITE_DENY


@contextmanager
def lifted(db: Database) -> Iterator[None]:
    """Within a plugin's turn, let the core do what it offers plugins for their migrations."""
    if not isinstance(db.conn, AuthorizedConnection):  # that of an author's test
        yield
        return
    with db.conn.turn(None, refused_of_core):
        yield


class _Attempt(NamedTuple):
    """One action of a statement, as SQLite names it (https://www.sqlite.org/c3ref/c_alter_table.html)."""

    action: int
    first: str
    second: str
    schema: str

    @property
    def is_harmless(self) -> bool:
        """Whether anybody may do it who may read."""
        if self.action == sqlite3.SQLITE_PRAGMA:
            return self.first in ASKING_PRAGMAS
        return self.action in READS or self.action == sqlite3.SQLITE_SAVEPOINT  # sqlite-utils puts one around queries

    @property
    def is_private(self) -> bool:
        """Whether it reads what no plugin may."""
        return self.action == sqlite3.SQLITE_READ and self.first in PRIVATE_TABLES

    @property
    def said(self) -> str:
        """What it is, for people."""
        return " ".join(filter(None, (_NAMES.get(self.action, "a change of the schema of"), self.first, self.second)))


def _of_hook(attempt: _Attempt, access: Access | None, refuse: Refuse) -> str | None:
    """What is wrong with an action of a hook, or None."""
    if attempt.is_private:
        return f"SELECT from {attempt.first}"
    if attempt.is_harmless:
        return None
    if attempt.action not in _WRITES:
        return attempt.said
    if attempt.first in _SCHEMA_TABLES:
        return "a change of the schema"
    why = refuse(attempt.first)
    if access == "write" and not why:
        return None
    return f"{_WRITES[attempt.action]} {attempt.first}{why}"


def _of_migration(attempt: _Attempt, access: Access | None, refuse: Refuse) -> str | None:  # noqa: ARG001 - as _of_hook
    """What is wrong with an action of a migration, or None: what SQLite does to its own tables by the way is not."""
    if attempt.is_private:
        return f"SELECT from {attempt.first}"
    if attempt.action == sqlite3.SQLITE_TRANSACTION:
        return attempt.said
    if attempt.action == sqlite3.SQLITE_PRAGMA and attempt.first == "writable_schema" and attempt.second:
        return attempt.said
    verb, table, schema = _change(attempt)
    if schema != "main" or table.startswith("sqlite_"):
        return None
    why = refuse(table)
    return f"{verb} {table}{why}" if verb and why else None


def _change(attempt: _Attempt) -> tuple[str, str, str]:
    """What an action changes, as verb, table and database; the verb is empty where it changes no table."""
    if attempt.action in _WRITES:
        return _WRITES[attempt.action], attempt.first, attempt.schema
    if attempt.action == sqlite3.SQLITE_ALTER_TABLE:
        return "ALTER TABLE", attempt.second, attempt.first
    if attempt.action in _OF_TABLES:
        return _OF_TABLES[attempt.action], attempt.first, attempt.schema
    return _BESIDE_TABLES.get(attempt.action, ""), attempt.second, attempt.schema
