"""How each plugin stands, as `due` needs it; plain sqlite3, since importing sqlite-utils takes 80 ms."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from pollctl.config.target_file import written_whole
from pollctl.damage import mark_damage, table_of
from pollctl.due import fast_path, stamp
from pollctl.errors import ConfigError, DatabaseError
from pollctl.patience import patience

APPLICATION_ID = 0x706F6C63
USER_VERSION = 1
"""Those of ``store`` and ``migrations``, which would import sqlite-utils."""

HEALTHCHECK, CHANNELS = "pollctl.healthcheck", "pollctl.channels"
"""Under which names it is kept what was printed about the dead man's switch, and about channels; no plugin's name has a dot."""
_FIRST_DEADLINE = "10m"
_NOTE_PATIENCE_S = 1.0
_COLUMNS = (
    "SELECT plugin, last_started_at, last_finished_at, last_outcome, consecutive_failures, last_complaint, "
    "defaults, what, printed_at, idle.since, idle.until, idle.settings FROM schedules "
    "LEFT JOIN printed ON name = plugin LEFT JOIN idle USING (plugin) ORDER BY plugin"
)


class PluginState(NamedTuple):
    """A row of ``schedules``; moments are database text.

    Attributes:
        message: what `due --run` last printed about the plugin and has not seen mended since.
        defaults: the plugin's own defaults for keys of the core, as JSON, from its last pass.
        printed: what *message* is compared by.
        printed_at: when it was printed.
        idle_since: when its last pass asked for no other before *idle_until*, under settings of the digest *idle_settings*;
            an empty one: a command has written since.
    """

    plugin: str
    last_started_at: str | None = None
    last_finished_at: str | None = None
    last_outcome: str | None = None
    consecutive_failures: int = 0
    message: str | None = None
    defaults: str = "{}"
    printed: str | None = None
    printed_at: str | None = None
    idle_since: str | None = None
    idle_until: str | None = None
    idle_settings: str | None = None

    @property
    def own_defaults(self) -> dict[str, str]:
        """What ``Config.timing_and_limits`` takes as defaults.

        What a plugin's own are is known once it ran. Until then its deadline must not be taken for shorter than it is; its
        pass knows better and ends itself.
        """
        if self.last_started_at is None:
            return {"deadline": _FIRST_DEADLINE}
        return {str(key): str(value) for key, value in table_of(self.defaults, "damaged").items() if key != "damaged"}


class DamagedStateError(ConfigError):
    """Bytes flipped in what was kept of a plugin, so that nobody can say whether it is due; others are not concerned."""

    exit_code = 1


PluginStates = Mapping[str, PluginState]


def read(database: Path) -> dict[str, PluginState]:
    """How each plugin stands; nothing where there is no database yet.

    Raises:
        DatabaseError: the file is there but cannot be used.
    """
    if not database.exists():
        return {}
    try:
        with closing(_connect(database, "ro", patience())) as connection:
            if _is_current(connection):
                return _rows(connection)
    except sqlite3.Error:
        pass  # the store tells what is wrong, or puts right what a crash left
    return _read_by_store(database)


def remember_next_due(
    settings: Path, database: Path, *, due_at: str, reckoned_at: str, zones: Iterable[str], seen: PluginStates
) -> bool:
    """Note until when nothing can be due, for ``idle``; answers whether it could be noted.

    Left undone when a pass has written since *seen* was read, when a file that was computed from is younger
    than this process, or when the database is busy or cannot be written: the full way is taken again then.

    Args:
        settings: the settings file that names *database*.
        database: the database.
        due_at: the first moment at which a plugin can be due, as database text.
        reckoned_at: the moment that it was computed for.
        zones: IANA names of the zones that schedules are meant in.
        seen: what was computed from.
    """
    sources = [*_zone_files(zones), *_code_files()]
    try:
        path = os.path.join(os.getcwd(), settings)  # noqa: PTH109, PTH118 - as idle spells it
        if not all(map(fast_path.is_older_than_this_process, (path, *sources))):
            return False
        row = due_at, reckoned_at, fast_path.fingerprint(path, str(database), os.environ, sources)
        with closing(_connect(database, "rw", _NOTE_PATIENCE_S)) as connection:
            is_noted = _note(connection, row, seen)
        if is_noted:
            with suppress(sqlite3.Error, OSError):  # without a stamp it stands in the database all the same
                _stamp(database, row)
    except (sqlite3.Error, OSError):
        return False
    return is_noted


def note_message(database: Path, plugin: str, message: str | None, key: str, at: str) -> None:
    """Keep what was printed about a plugin, so that it is not printed every minute; None once it is mended.

    Args:
        database: where.
        plugin: about which.
        message: what was printed.
        key: what it is compared by.
        at: when, as database text.

    Raises:
        DatabaseError: it cannot be kept.
    """
    from pollctl.store.database import open_to_write, writing

    with closing(open_to_write(database)) as db, writing(db):
        db.conn.execute(
            "INSERT INTO schedules (plugin, last_complaint) VALUES (?,?) "
            "ON CONFLICT (plugin) DO UPDATE SET last_complaint=excluded.last_complaint",
            (plugin, message),
        )
        db.conn.execute("DELETE FROM printed WHERE name=?", (plugin,))
        if message:
            db.conn.execute("INSERT INTO printed VALUES (?,?,?)", (plugin, key, at))


def looking(database: Path) -> closing[sqlite3.Connection]:
    """A connection that can only read, without sqlite-utils; to be used with ``with``.

    Raises:
        sqlite3.Error: there is no database, or it cannot be read.
    """
    return closing(_connect(database, "ro", patience()))


def _connect(database: Path, mode: str, patience_s: float) -> sqlite3.Connection:
    address = fast_path.connect_address(str(database), mode)
    connection = sqlite3.connect(address, uri=True, timeout=patience_s, isolation_level=None)
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _is_current(connection: sqlite3.Connection) -> bool:
    marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    return marks == [APPLICATION_ID, USER_VERSION]


def _rows(connection: sqlite3.Connection) -> dict[str, PluginState]:
    mark_damage(connection)
    return {row[0]: PluginState(*row) for row in connection.execute(_COLUMNS)}


def _read_by_store(database: Path) -> dict[str, PluginState]:
    from pollctl.store.database import open_to_plan

    with closing(open_to_plan(database, ())) as db:
        try:
            return _rows(db.conn)
        except sqlite3.DatabaseError as error:
            raise DatabaseError(f"{database}: {error}; `pollctl db check` looks closer") from error


def _note(connection: sqlite3.Connection, row: tuple[str, str, str], seen: PluginStates) -> bool:
    if not _is_current(connection):
        return False
    connection.execute("BEGIN IMMEDIATE")
    if _rows(connection) != seen:
        connection.execute("ROLLBACK")
        return False
    connection.execute("INSERT OR REPLACE INTO next_due VALUES (1, ?, ?, ?)", row)
    connection.execute("COMMIT")
    return True


def _stamp(database: Path, row: tuple[str, str, str]) -> None:
    """Put the row beside the database too, if it still stands there; nobody can commit meanwhile.

    To close a file gives up all locks that the process has on it, so that its own descriptor is closed last.
    """
    path = os.path.realpath(database)
    with open(path, "rb") as file, closing(_connect(database, "rw", _NOTE_PATIENCE_S)) as connection:  # noqa: PTH123 - see above
        connection.execute("BEGIN IMMEDIATE")
        state = stamp.state_of(path, file.fileno())
        if state and connection.execute(fast_path.ROW).fetchone() == row:
            with written_whole(Path(stamp.path_of(path)), mode=0o600) as beside:
                beside.write(stamp.text_of(state, row))


def _zone_files(zones: Iterable[str]) -> list[str]:
    """The files that zoneinfo looks at for these zones, also those that do not exist: they may appear."""
    import zoneinfo

    tzdata = [f"{folder}/zoneinfo" for folder in _folders_of("tzdata")]
    return [f"{folder}/{zone}" for zone in sorted(set(zones)) for folder in (*zoneinfo.TZPATH, *tzdata)]


def _folders_of(package: str) -> list[str]:
    from importlib.util import find_spec

    spec = find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec else []


def _code_files() -> list[str]:
    """The files of the modules that compute it."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in fast_path.SOURCES]
    return sorted({module.__file__ for module in modules if module.__file__})
