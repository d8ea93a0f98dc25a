"""Datasette, set up to show the database of pollctl and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import wait
from contextlib import suppress
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

import datasette.handle_exception
from datasette import hookimpl
from datasette.app import Datasette
from datasette.plugins import pm
from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError

from pollctl import __version__, console
from pollctl.errors import PollctlError
from pollctl.web.dashboards import Answered, Query, dashboards
from pollctl.web.database import NAME, REPLACED, LiveDatabase

if TYPE_CHECKING:
    from pollctl.web.connection import ShowingConnection
    from pollctl.web.contents import Contents

DASHBOARDS = "datasette-dashboards"
_SETTINGS = {
    "allow_download": False,
    "allow_csv_stream": False,
    "suggest_facets": False,
    "num_sql_threads": 1,
    "sql_time_limit_ms": 500,
    "facet_time_limit_ms": 200,
    "default_page_size": 50,
    "max_returned_rows": 1000,
    "truncate_cells_html": 200,
    "max_csv_mb": 10,
}
"""A statement holds a pass that wants to commit for as long as it runs, where the journal is no WAL."""
_UNAVAILABLE = ("database is locked", REPLACED)
_LOOK_EVERY_S = 0.1


class Site:
    """One Datasette, and the hooks by which it learns what there is to be asked now."""

    __name__ = __package__
    """As which Datasette lists it."""

    def __init__(self, contents: Contents) -> None:
        _leave_out_strangers()
        self._contents = contents
        self._metadata: Mapping[str, Any] = {}
        self.datasette = Datasette([], settings=_SETTINGS, memory=False, cors=False)
        self.datasette.remove_database("_memory")
        self._live = LiveDatabase(self.datasette, contents.path, contents.read_shown, self._read_queries)
        self.datasette.add_database(self._live, name=NAME)
        pm.register(self)

    def is_stuck(self) -> bool:
        """Whether a statement does not end."""
        return bool(self._live.overrun.is_there())

    def close(self) -> None:
        """Close what is open; where a statement does not end, that is left to the end of the process.

        Raises:
            PollctlError: one does not.
        """
        pm.unregister(self)
        executor = self.datasette.executor
        last = executor.submit(int)
        while wait([last], _LOOK_EVERY_S).not_done and not self.is_stuck():
            pass
        executor.shutdown(wait=False)
        if not last.done():
            raise PollctlError("a statement went on long after its limit, and ended with pollctl web: start it again")
        self._live.close()

    def _read_queries(self, connection: ShowingConnection) -> None:
        """Leave out what asks for tables that are not there yet."""
        found = [one for query in self._contents.queries for one in _answered(connection, query)]
        canned = {one.query.slug: {"title": one.query.heading, "sql": one.query.sql} for one in found}
        self._metadata = {
            "title": f"pollctl on {self._contents.host}",
            "source": f"pollctl {__version__}",
            "databases": {NAME: {"queries": canned, "tables": {"runs": {"sort_desc": "id"}}}},
            "plugins": {DASHBOARDS: dashboards(found)},
        }

    @hookimpl  # type: ignore[untyped-decorator]  # Datasette has no types
    def startup(self, datasette: Datasette) -> Callable[[], Awaitable[None]] | None:
        """Read what there is to be asked before the first page, which may be a dashboard."""

        async def look() -> None:
            with suppress(sqlite3.Error):  # whatever page comes then looks itself, and says what is wrong
                await self._live.execute_fn(lambda _: None)

        return look if datasette is self.datasette else None

    @hookimpl  # type: ignore[untyped-decorator]  # as above
    def get_metadata(self, datasette: Datasette) -> Mapping[str, Any] | None:
        """Name the queries."""
        return self._metadata if datasette is self.datasette else None

    @hookimpl  # type: ignore[untyped-decorator]  # as above
    def handle_exception(self, datasette: Datasette, request: Request, exception: Exception) -> Any:
        """Say what is wrong, without the values of variables that Datasette prints to stderr."""

        async def answer() -> Response:
            status, title, message = _said(exception)
            if request.path.endswith(".json"):
                return Response.json({"ok": False, "status": status, "title": title, "error": message}, status=status)
            page = {"status": status, "title": title, "error": message}
            return Response.html(await datasette.render_template("error.html", page, request=request), status=status)

        return answer


def _said(exception: Exception) -> tuple[int, str | None, str]:
    """Status, title and message; a bug is logged."""
    if isinstance(exception, DatasetteError):
        message = str(exception.message)
        # It calls 500 what SQLite refuses, and columns that are not there.
        return _status(message) if exception.status == 500 else exception.status, exception.title, message  # noqa: PLR2004
    if isinstance(exception, Base400):
        return exception.status, None, str(exception.args[0])
    if isinstance(exception, sqlite3.OperationalError):
        return _status(str(exception)), None, str(exception)
    if isinstance(exception, JSONDecodeError):
        return 400, None, f"a value in the address is not JSON: {exception}"
    console.log_traceback(exception)
    return 500, None, "this is a bug; the terminal of `pollctl web` says more"


def _status(message: str) -> int:
    return 503 if any(one in message for one in _UNAVAILABLE) else 400


def _leave_out_strangers() -> None:
    """Have Datasette do without other plugins that happen to be installed, and without what prints variables."""
    for plugin, distribution in pm.list_plugin_distinfo():
        if distribution.metadata["Name"] != DASHBOARDS and pm.is_registered(plugin):
            pm.unregister(plugin)
    if pm.is_registered(datasette.handle_exception):
        pm.unregister(datasette.handle_exception)


def _answered(connection: ShowingConnection, query: Query) -> Iterator[Answered]:
    """A query with its columns; none where it cannot be answered."""
    try:
        cursor = connection.execute(f"SELECT * FROM ({query.sql}) LIMIT 0", dict.fromkeys(query.parameters, ""))  # noqa: S608
    except sqlite3.Error:
        return
    yield Answered(query, [column[0] for column in cursor.description])
