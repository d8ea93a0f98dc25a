"""The database as Datasette asks it: always the file as passes write it, shown as ``ShowingConnection`` does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database, QueryInterrupted, Results
from datasette.utils import CustomRow

from pollctl.web.connection import ReadShown, ShowingConnection, connect
from pollctl.web.overrun import Overrun

NAME = "pollctl"
REPLACED = "its file was replaced: start pollctl web again"
_MOST_TRIES = 8
T = TypeVar("T")


class LiveDatabase(Database):  # type: ignore[misc]  # Datasette has no types
    """Datasette's view of one database.

    Args:
        datasette: whose.
        path: the file.
        read_shown: what may be shown; asked again whenever the schema has changed.
        on_schema: called then with the connection.

    Attributes:
        overrun: of the statement that runs.
    """

    def __init__(
        self, datasette: Datasette, path: Path, read_shown: ReadShown, on_schema: Callable[[ShowingConnection], None]
    ) -> None:
        super().__init__(datasette, path=str(path), is_mutable=True)
        self._read_shown = read_shown
        self._on_schema = on_schema
        self.overrun = Overrun()

    def connect(self, write: bool = False) -> ShowingConnection:  # noqa: FBT001, FBT002 - Datasette's signature
        """Open a connection.

        Raises:
            OperationalError: for writing.
        """
        if write:
            raise sqlite3.OperationalError("nothing is written here")
        connection = connect(Path(self.path))
        self._all_file_connections.append(connection)
        return connection

    async def execute_fn(self, fn: Callable[[ShowingConnection], T]) -> T:
        """Do something with the connection, in the thread that has it.

        Raises:
            OperationalError: the file was replaced. To read on would show what is gone, and take a journal of the new one for
                its own.
        """

        def with_what_is_shown(connection: ShowingConnection) -> T:
            if connection.is_replaced():
                raise sqlite3.OperationalError(REPLACED)
            if connection.look_again(self._read_shown):
                self._on_schema(connection)
            return _insisting(connection, counted)

        def counted(connection: ShowingConnection) -> T:
            with connection.reading(), self.overrun.counted():
                return fn(connection)

        found: T = await super().execute_fn(with_what_is_shown)
        return found

    async def execute(self, sql: str, params: Any = None, *more: Any, **named: Any) -> Any:
        """Execute a statement; what SQLite refuses is an error of the statement, as Datasette says it to whoever wrote it."""
        named["log_sql_errors"] = False
        try:
            return _named_plainly(await super().execute(sql, params, *more, **named))
        except sqlite3.OperationalError:
            raise
        except (sqlite3.Error, ValueError) as error:
            raise sqlite3.OperationalError(str(error)) from error

    async def table_names(self) -> list[str]:
        """The tables that may be read."""
        return await self._shown_of("table")

    async def view_names(self) -> list[str]:
        """The views that may be read."""
        return await self._shown_of("view")

    async def hidden_table_names(self) -> list[str]:
        """None: what is not to be seen is no table here."""
        return []

    async def fts_table(self, table: str) -> None:  # noqa: ARG002 - Datasette's signature
        """None: indexes for full text repeat what they index."""
        return

    async def table_exists(self, table: str) -> bool:
        """Whether there is such a table that may be read."""
        return table in await self.table_names()

    async def get_view_definition(self, view: str) -> str | None:
        """The statement that makes a view that may be read."""
        if view not in await self.view_names():
            return None
        found: str | None = await super().get_view_definition(view)
        return found

    async def _shown_of(self, kind: str) -> list[str]:
        def names(connection: ShowingConnection) -> list[str]:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = ?", [kind]).fetchall()
            shown = [name for (name,) in rows if name.lower() in connection.shown]
            return sorted(shown, key=lambda name: (name.startswith("_"), name))  # what is looked at first

        return await self.execute_fn(names)


def _insisting(connection: ShowingConnection, fn: Callable[[ShowingConnection], T]) -> T:
    """Do something again where it had to give way to a pass: SQLite lets it go on when that has committed."""
    for _ in range(_MOST_TRIES):
        connection.has_given_way = False
        try:
            return fn(connection)
        except QueryInterrupted:
            if not connection.has_given_way:
                raise
    raise sqlite3.OperationalError("passes commit all the time; ask again")


def _named_plainly(results: Results) -> Results:
    """The same; SQLite calls a column that it replaced by NULL as it was written, ``[key]``, which Datasette does not find."""
    names = [name[1:-1] if name.startswith("[") and name.endswith("]") else name for name in results.columns]
    if names == results.columns:
        return results
    description = [(name, *more) for name, (_, *more) in zip(names, results.description, strict=True)]
    rows = [CustomRow(names, dict(zip(names, tuple(row), strict=True))) for row in results.rows]
    return Results(rows, results.truncated, description)
