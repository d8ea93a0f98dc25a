"""The one SQLite file: how it is created, opened, migrated and written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pollctl.api.migrations import AnyMigrations, Migrations
from pollctl.damage import mark_damage
from pollctl.errors import DatabaseError
from pollctl.patience import patience
from pollctl.store import journal
from pollctl.store.authorizer import AuthorizedConnection
from pollctl.store.errors import explaining
from pollctl.store.files import create, require_right_to_write
from pollctl.store.late_database import database_on
from pollctl.store.migrations import USER_VERSION
from pollctl.store.migrations import migrations as core_migrations
from pollctl.store.plugin_migrations import of_plugin, refuse_unknown, take_pending
from pollctl.store.table_rights import is_known

if TYPE_CHECKING:
    from sqlite_utils import Database

Opened = TypeVar("Opened", sqlite3.Connection, "Database")
APPLICATION_ID = 0x706F6C63  # "polc"


def open_to_write(
    path: Path, sets: Sequence[AnyMigrations] = (), *, on_created: Callable[[], None] = lambda: None
) -> Database:
    """Open the database to write, creating it (0600) where there is none, with all pending migrations applied.

    Args:
        path: the file; its folder must exist.
        sets: migrations of the plugins concerned, besides the core's.
        on_created: called where this process has created it.

    Raises:
        DatabaseError: foreign, newer, empty, damaged or not writable; says which, and what to do.
        PluginError: a migration of *sets* raised.
        UsageError: it belongs to another user.
    """
    require_right_to_write(path)
    with explaining(path):
        if not path.exists() and create(path, lambda unfinished: _fill(unfinished, sets)):
            on_created()
        with closed_on_error(_opened(path, "rw")) as db:
            journal.choose(db)
            migrate(db, sets)
            return db


def open_to_read(path: Path) -> Database:
    """Open an existing database read-only.

    Raises:
        DatabaseError: there is none, or it is not ours, newer, empty or damaged.
    """
    with explaining(path):
        if not path.exists():
            raise DatabaseError(f"{path}: no database yet; `pollctl init` or the first pass creates it")
        try:
            db = _opened(path, "ro")
        except sqlite3.OperationalError:
            # What a crash left half-written is rolled back by the next opener, who must be able to write for that.
            db = _opened(path, "rw")
        db.execute("PRAGMA query_only=ON")
        return db


@contextmanager
def looking(path: Path, sets: Sequence[AnyMigrations] = ()) -> Iterator[Database]:
    """A database for whoever only shows it, as ``open_to_plan``; text in which bytes flipped comes with a mark.

    Raises:
        DatabaseError: the file is there but cannot be used.
    """
    with closing(open_to_plan(path, sets)) as db:
        mark_damage(db.conn)
        yield db


def open_to_plan(path: Path, sets: Sequence[AnyMigrations]) -> Database:
    """A database that can be read but not written: the file itself where its tables are up to date.

    Where there is none yet, an empty one in memory; where migrations are pending, a migrated copy in memory.

    Raises:
        DatabaseError: the file is there but cannot be used.
    """
    if not path.exists():
        return _migrated_copy(None, sets)
    with closed_on_error(open_to_read(path)) as db:
        if is_current(db, sets):
            return db
    with closing(db):
        return _migrated_copy(db, sets)


def _migrated_copy(original: Database | None, sets: Sequence[AnyMigrations]) -> Database:
    with closed_on_error(sqlite3.connect(":memory:", factory=AuthorizedConnection, isolation_level=None)) as memory:
        db = _configured(memory)
        if original is not None:
            original.conn.backup(memory)
        migrate(db, sets)
        db.execute("PRAGMA query_only=ON")
        return db


def as_migrated(applied: Collection[str] | None = None) -> Database:
    """An empty database in memory with the core's tables, made by those of its migrations that were *applied*, or by all."""
    chosen = [step for step in core_migrations.steps if applied is None or step.name in applied]
    with closed_on_error(sqlite3.connect(":memory:", factory=AuthorizedConnection, isolation_level=None)) as memory:
        db = _configured(memory)
        Migrations(core_migrations.name, chosen).apply(db)
        return db


def is_current(db: Database, sets: Sequence[AnyMigrations]) -> bool:
    """Whether every migration of the core and of *sets* has been applied."""
    return not any(migration_set.pending(db) for migration_set in (core_migrations, *map(of_plugin, sets)))


def require_known(db: Database, sets: Sequence[AnyMigrations]) -> None:
    """See that nobody newer was here.

    Raises:
        DatabaseError: a step was taken that neither the core nor its plugin knows.
    """
    for migration_set in (core_migrations, *map(of_plugin, sets)):
        refuse_unknown(db, migration_set)


def migrate(db: Database, sets: Sequence[AnyMigrations]) -> None:
    """Apply what is pending, all of it or nothing: the core's first, then the plugins' in the order of their names.

    Raises:
        DatabaseError: a migration was applied that this version does not know: a newer one was here.
        PluginError: a migration raised.
    """
    own = sorted(map(of_plugin, sets), key=lambda migration_set: migration_set.name)
    require_known(db, own)
    if is_current(db, sets) and all(is_known(db, migration_set.name) for migration_set in own):
        return
    with writing(db):
        take_pending(core_migrations, db)
        for migration_set in own:
            migration_set.adopt_tables(db, as_migrated)
            take_pending(migration_set, db)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={USER_VERSION}")


@contextmanager
def writing(db: Database) -> Iterator[Database]:
    """One transaction, committed at the end or rolled back as a whole.

    It begins IMMEDIATE: a read that becomes a write later fails at once in WAL, whatever the busy timeout.

    Raises:
        DatabaseError: the commit failed; its outcome is unknown, so the caller must read the state again.
    """
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.rollback()
        raise
    if not db.conn.in_transaction:
        raise DatabaseError("the transaction was ended inside (a trigger with RAISE(ROLLBACK)?); nothing was written")
    try:
        db.conn.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            db.rollback()
        raise DatabaseError(
            f"the database: the commit failed ({error}); the next pass reads what stands and goes on"
        ) from error


def _fill(unfinished: Path, sets: Sequence[AnyMigrations]) -> None:
    with closing(_connect(unfinished, "rw")) as db:
        migrate(db, sets)


def _connect(path: Path, mode: str) -> Database:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, timeout=patience(), isolation_level=None, factory=AuthorizedConnection
    )
    with closed_on_error(connection):
        return _configured(connection)


def _opened(path: Path, mode: str) -> Database:
    """A connection to a database that is known to be ours."""
    with closed_on_error(_connect(path, mode)) as db:
        _recognise(path, db)
        return db


@contextmanager
def closed_on_error(opened: Opened) -> Iterator[Opened]:
    """Hand on a connection that is closed if the block raises."""
    try:
        yield opened
    except BaseException:
        opened.close()
        raise


def _configured(connection: sqlite3.Connection) -> Database:
    for pragma in ("foreign_keys=ON", "trusted_schema=OFF", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite makes json_each known when it is first used, which the guard would take for a change of the schema.
    connection.execute("SELECT 1 FROM json_each('[]')")
    return database_on(connection)


def _recognise(path: Path, db: Database) -> None:
    application_id, version = int(_pragma(db, "application_id")), int(_pragma(db, "user_version"))
    if application_id == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise DatabaseError(
            f"{path}: an empty or cut-off file where a database is expected; restore a backup, or remove it to start again"
        )
    if application_id != APPLICATION_ID:
        raise DatabaseError(f"{path}: belongs to another program; set pollctl.database to a file of its own")
    if version > USER_VERSION:
        raise DatabaseError(
            f"{path}: made by a newer pollctl (database version {version}, this one knows {USER_VERSION}); update pollctl"
        )


def _pragma(db: Database, name: str) -> str:
    return str(db.execute(f"PRAGMA {name}").fetchone()[0])
