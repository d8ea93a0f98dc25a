"""The files of the database: created whole, copied whole, private to their owner."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pollctl.errors import DatabaseError
from pollctl.store.lock import private_file

if TYPE_CHECKING:
    from sqlite_utils import Database

_ABANDONED_S = 86_400


def require_folder(path: Path) -> None:
    """See that there is a folder for the database and its locks.

    Raises:
        DatabaseError: there is none.
    """
    if not path.parent.is_dir():
        raise DatabaseError(f"{path}: there is no folder {path.parent}; create it, or set pollctl.database elsewhere")


def create(path: Path, fill: Callable[[Path], None]) -> None:
    """Make a finished database appear at *path* at once; a crash on the way leaves only a ``.new`` for the next try.

    Journals that lie at *path* are of a database that was removed: SQLite would play them into the new one.
    """
    require_folder(path)
    unfinished = path.with_name(f"{path.name}.new")
    lock = private_file(path.with_name(f"{path.name}.lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        _remove(unfinished)
        os.close(private_file(unfinished, os.O_EXCL))
        fill(unfinished)
        _sync(unfinished)
        _remove_journals(path)
        unfinished.replace(path)
        _sync(path.parent)
    finally:
        os.close(lock)


def backup(source: Database, target: Path) -> None:
    """Copy the database to *target* (0600), consistent while passes run; an existing *target* is replaced as a whole.

    The copy grows under a name of its own, however many backups to one target run at once.
    """
    _remove_abandoned(target)
    unfinished = target.with_name(f"{target.name}.part-{secrets.token_hex(8)}")
    os.close(private_file(unfinished, os.O_EXCL))
    try:
        _copy(source, unfinished)
        _sync(unfinished)
        unfinished.replace(target)
    except BaseException:
        _remove(unfinished)
        raise
    _sync(target.parent)


def _copy(source: Database, unfinished: Path) -> None:
    copy = sqlite3.connect(unfinished)
    try:
        source.conn.backup(copy)
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
