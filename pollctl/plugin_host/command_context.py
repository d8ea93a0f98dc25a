"""What a plugin's own commands get from the core: settings, the moment, the database, and one way to show rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pollctl import clock
from pollctl.api.listing import Column
from pollctl.api.values import Answer, Request
from pollctl.console import Progress, progress, until_stopped
from pollctl.console.moments import Moments
from pollctl.plugin_host.configured import ConfiguredPlugin
from pollctl.plugin_host.row_limit import within
from pollctl.store import database, idle

if TYPE_CHECKING:
    from sqlite_utils import Database


class PluginContext:
    """The object behind ``@click.pass_obj`` in a command of a plugin.

    Attributes:
        plugin: the plugin's name.
        settings: the plugin's own settings, checked.
        now: the moment at which the command began.
        settings_file: where the settings stand; None where the embedded defaults hold.
    """

    def __init__(
        self, configured: ConfiguredPlugin, *, is_utc: bool = False, obey: Callable[[], object] = lambda: None
    ) -> None:
        self._configured = configured
        self._obey = obey  # raises a ConfigError where this user may look by these settings, but not act
        self.plugin = configured.name
        self.settings: Any = configured.settings
        self.now: datetime = clock.now()
        self.settings_file = configured.config.path
        self._moments = Moments(self.now, configured.config.reading_zone, is_utc)

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Open the database to read; where there is none yet, an empty one with all tables.

        Text in which bytes flipped on the disk is answered as ``damaged: ...``, so that a listing shows that row and goes on.

        Raises:
            DatabaseError: it cannot be used.
        """
        with database.looking(self._configured.config.core.database, self._configured.migrations) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Open the database, created if need be, within one transaction that is committed at the end.

        The next pass comes as the schedule says, also where the last one has said that there is nothing to do.

        Raises:
            DatabaseError: it cannot be used.
            ConfigError: root looks at settings of somebody else.
            UsageError: the database belongs to another user.
        """
        self._obey()
        with (
            closing(database.open_to_write(self._configured.config.core.database, self._configured.migrations)) as db,
            database.writing(db),
        ):
            idle.end(db, [self.plugin], self.now)
            yield db

    @contextmanager
    def asking(self) -> Iterator[Callable[[Request], Answer]]:
        """Open the way to upstreams, with the limits of a pass: ``with context.asking() as send: send(Request(...))``."""
        from pollctl.concurrency.cancellation import Stop
        from pollctl.http.client import Client
        from pollctl.http.limits import Limits

        self._obey()
        with closing(Client(Limits.of(self._configured.config.core.http), stop=Stop())) as client:
            yield client.send

    @contextmanager
    def progress(self, stands: str) -> Iterator[Progress]:
        """Have a line on a terminal that says how far long work has come: ``with context.progress(...) as line: line.show(...)``.

        Args:
            stands: what Ctrl-C leaves as it is, as a sentence without its full stop.

        Raises:
            StoppedError: Ctrl-C was pressed.
        """
        with until_stopped(lambda: stands), progress() as line:
            yield line

    def exporting(self, file: Path | None, *, may_replace: bool = False) -> AbstractContextManager[TextIO]:
        """Open where rows for people go: stdout without a file or for ``-``; a file takes its place only when it is whole.

        Args:
            file: which must not be there yet; the settings, the database and what is no file are refused in any case.
            may_replace: whether a file may be there (``--force``).

        Raises:
            UsageError: one is there.
            PollctlError: it cannot be written.
        """
        from pollctl.plugin_host.export import exporting

        return exporting(file, self._configured.config, may_replace=may_replace)

    def show(
        self,
        rows: Sequence[Mapping[str, Any]] | Mapping[str, Any],
        *,
        as_json: bool,
        columns: Sequence[str | Column] = (),
        empty: str = "",
        limit: int | None = 0,
    ) -> None:
        """Print rows as a table, one row as a list of its fields, or either as one JSON document.

        Args:
            rows: one or many; every row of many has the same keys.
            as_json: whether all of it goes out as JSON.
            columns: which keys a table has, in which order, and which of them a narrow terminal leaves out first; all of
                them, the last first, if empty. JSON always has all.
            empty: what is said on stderr where there is no row: what is empty, and which command fills it.
            limit: how many rows are shown at most, as ``pollctl.limit_option`` gives it: 0 for all, None for a hundred in a
                table and all in JSON. How many were left out is said on stderr.
        """
        from pollctl.console import log, print_rows

        more = 0
        if not isinstance(rows, Mapping):
            rows, more = within(rows, limit, as_json=as_json)
        print_rows(rows, as_json=as_json, columns=columns, moments=self._moments, empty=empty)
        if more:
            log(f"{more} more; `--limit 0` shows all")
