"""The files of the database: created whole, copied whole, private to their owner."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pollctl.errors import DatabaseError, UsageError
from pollctl.ownership import refusal_to_write
from pollctl.store.lock import private_file

if TYPE_CHECKING:
    from sqlite_utils import Database

_ABANDONED_S = 86_400
_STEPS = 100_000  # of SQLite between two looks at how far it has come, some milliseconds

OnPart = Callable[[int, int], None]


def require_folder(path: Path) -> None:
    """See that there is a folder for the database and its locks.

    Raises:
        DatabaseError: there is none.
    """
    if not path.parent.is_dir():
        raise DatabaseError(f"{path}: there is no folder {path.parent}; create it, or set pollctl.database elsewhere")


def require_right_to_write(path: Path) -> None:
    """See that this user may write to the database, if it is there.

    Raises:
        UsageError: it belongs to somebody else.
    """
    if refusal := refusal_to_write(path):
        raise UsageError(refusal)


def create(path: Path, fill: Callable[[Path], None]) -> bool:
    """Make a finished database appear at *path* at once; a crash on the way leaves only a ``.new`` for the next try.

    Answers whether it was this process that made it.

    Journals that lie at *path* are of a database that was removed: SQLite would play them into the new one.
    """
    require_folder(path)
    unfinished = path.with_name(f"{path.name}.new")
    lock = private_file(path.with_name(f"{path.name}.lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return False
        _remove(unfinished)
        os.close(private_file(unfinished, os.O_EXCL))
        fill(unfinished)
        _sync(unfinished)
        _remove_journals(path)
        unfinished.replace(path)
        _sync(path.parent)
    finally:
        os.close(lock)
    return True


def backup(source: Database, target: Path, on_part: OnPart = lambda *_: None) -> None:
    """Copy the database to *target* (0600), consistent while passes run; an existing *target* is replaced as a whole.

    The copy is compact. It grows under a name of its own, however many backups to one target run at once.

    Args:
        source: the database, open to read.
        target: the file.
        on_part: called now and then with how many bytes of about how many are written.

    Raises:
        KeyboardInterrupt: Ctrl-C; *target* is as it was.
    """
    _remove_abandoned(target)
    unfinished = target.with_name(f"{target.name}.part-{os.urandom(8).hex()}")
    os.close(private_file(unfinished, os.O_EXCL))
    try:
        _copy(source.conn, unfinished, on_part)
        _sync(unfinished)
        unfinished.replace(target)
    except BaseException:
        _remove(unfinished)
        raise
    _sync(target.parent)


def _copy(source: sqlite3.Connection, unfinished: Path, on_part: OnPart) -> None:
    """Write a compact copy; where pages are damaged, one page by page, which takes them as they are."""
    try:
        _vacuum_into(source, unfinished, on_part)
    except sqlite3.DatabaseError as error:
        if not error.sqlite_errorname.startswith("SQLITE_CORRUPT"):
            raise
        os.truncate(unfinished, 0)
        _copy_pages(source, unfinished)


def _vacuum_into(source: sqlite3.Connection, unfinished: Path, on_part: OnPart) -> None:
    sizes = [source.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")]
    total = (sizes[0] - sizes[1]) * sizes[2]
    asked_to_stop = False

    def watch() -> int:
        nonlocal asked_to_stop
        try:
            on_part(unfinished.stat().st_size, total)
        except KeyboardInterrupt:  # which SQLite would swallow
            asked_to_stop = True
        return int(asked_to_stop)

    source.execute("PRAGMA query_only=OFF")  # the copy is written through this connection too
    source.set_progress_handler(watch, _STEPS)
    try:
        source.execute("VACUUM INTO ?", (str(unfinished),))
    except sqlite3.OperationalError as error:
        if asked_to_stop:
            raise KeyboardInterrupt from error
        raise
    finally:
        source.set_progress_handler(None, 0)
        source.execute("PRAGMA query_only=ON")


def _copy_pages(source: sqlite3.Connection, unfinished: Path) -> None:
    copy = sqlite3.connect(unfinished)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()


def _remove_abandoned(target: Path) -> None:
    """Remove what killed backups to *target* left: unfinished copies in which nothing was written for a day."""
    name = re.compile(rf"{re.escape(target.name)}\.part-[0-9a-f]{{16}}")
    for path in target.parent.iterdir():
        if name.fullmatch(path.name) and path.lstat().st_mtime < time.time() - _ABANDONED_S:
            _remove(path)


def _remove(database: Path) -> None:
    """Remove a database of ours with its journals: exactly those files, as names of others may begin so."""
    database.unlink(missing_ok=True)
    _remove_journals(database)


def _remove_journals(database: Path) -> None:
    for suffix in ("-journal", "-wal", "-shm"):
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
