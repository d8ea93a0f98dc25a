"""A connection on which anybody may ask anything, and private columns are NULL in every answer."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pollctl.patience import BUSY_TIMEOUT_S
from pollctl.store.authorizer import ASKING_PRAGMAS, READS
from pollctl.store.late_database import database_on
from pollctl.store.table_rights import tables_in
from pollctl.web.giving_way import Waiting

Shown = Mapping[str, frozenset[str]]
ReadShown = Callable[[Any], Shown]
"""Reads from a database which columns of which tables may be shown."""
_ALWAYS_SHOWN = frozenset({"sqlite_master", "json_each", "json_tree"})
_REACHING_OUT = frozenset({"load_extension", "fts3_tokenizer"})
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 10 * 1024 * 1024,  # bytes of a text or a row, also of one that a statement makes up
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
}
_UNJUDGED_JOIN = re.compile(r"(?<![^\W\d])(?:using|natural)(?!\w)", re.IGNORECASE)
"""Of the columns that such a join compares, and hands out where it is a FULL one, SQLite does not ask the authorizer."""


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        if _UNJUDGED_JOIN.search(sql):
            raise sqlite3.OperationalError("USING and NATURAL are not to be had here: say JOIN ... ON a.x = b.x")
        super().execute(sql, parameters)
        return self


class ShowingConnection(sqlite3.Connection):
    """A connection that reads, and shows what it was told by ``look_again`` and nothing else.

    Attributes:
        has_given_way: whether the last statement was interrupted because a pass waited.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.has_given_way = False
        self._waiting: Waiting | None = None
        self._schema_version = -1
        self._shown: Shown = {}
        self._there: frozenset[str] = frozenset()

    def cursor(self, factory: Any = _Cursor) -> Any:
        """Open a cursor."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """Execute through such a cursor (sqlite3 itself would take a plain one)."""
        return self.cursor().execute(sql, parameters)

    @property
    def shown(self) -> Shown:
        """By tables, the columns that are shown."""
        return self._shown

    def look_again(self, read_shown: ReadShown) -> bool:
        """Read what may be shown, if the schema has changed; answers whether it has."""
        (version,) = self.execute("PRAGMA schema_version").fetchone()
        if version == self._schema_version:
            return False
        self.set_authorizer(None)
        try:
            db = database_on(self)
            self._shown, self._there = read_shown(db), tables_in(db)
        finally:
            self.judge()
        self._schema_version = version
        return True

    def is_replaced(self) -> bool:
        """Whether another file lies, or none, where this one was opened."""
        return self._waiting is not None and self._waiting.is_replaced()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Have the lock that statements need to read, for which they wait as long as a pass commits."""
        with closing(self.execute("SELECT 1 FROM sqlite_master")) as cursor:
            cursor.fetchone()
            yield

    def close(self) -> None:
        """Close the connection, and then what watches its file."""
        super().close()
        if self._waiting:
            self._waiting.close()
            self._waiting = None

    def give_way(self, path: Path) -> None:
        """From now on, let statements that have a progress handler end when a pass waits for them to commit."""
        self._waiting = Waiting(path)

    def set_progress_handler(self, progress_handler: Callable[[], int | None] | None, n: int) -> None:
        """Set what ends a statement when it answers that it should."""
        handler = progress_handler
        super().set_progress_handler(handler and (lambda: handler() or self._gives_way()), n)

    def _gives_way(self) -> bool:
        self.has_given_way = self._waiting is not None and self._waiting.is_somebody()
        return self.has_given_way

    def judge(self) -> None:
        """From now on, have SQLite ask what may be done."""
        self.set_authorizer(self._judge)

    def _judge(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            return self._judge_read((first or "").lower(), (second or "").lower())
        if action == sqlite3.SQLITE_PRAGMA:
            is_asking = first in ASKING_PRAGMAS or (first in {"schema_version", "database_list"} and second is None)
            return sqlite3.SQLITE_OK if is_asking else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION and second in _REACHING_OUT:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in READS else sqlite3.SQLITE_DENY

    def _judge_read(self, table: str, column: str) -> int:
        if table in _ALWAYS_SHOWN:
            return sqlite3.SQLITE_OK
        if table in self._shown:
            return sqlite3.SQLITE_OK if column in self._shown[table] | {""} else sqlite3.SQLITE_IGNORE
        # Without a column it may be what WITH named; a table of SQLite's own or of a module is none.
        is_of_statement = (
            not column and table not in self._there and not table.startswith(("sqlite_", "pragma_", "dbstat"))
        )
        return sqlite3.SQLITE_OK if is_of_statement else sqlite3.SQLITE_DENY


def connect(path: Path) -> ShowingConnection:
    """Open a database to show it; nothing can be read before the first ``look_again``.

    The file is opened to be written: what a pass that was killed left half-committed is rolled back by the next reader, who must
    be able to.
    """
    address = f"file:{quote(str(path.absolute()))}?mode=rw"
    connection = sqlite3.connect(
        address,
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        factory=ShowingConnection,
    )
    for pragma in ("query_only=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    # SQLite makes these known when they are first used, which the authorizer would take for a change of the schema.
    connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')")
    connection.judge()
    connection.give_way(path)
    return connection
