"""The files of the database: created whole, copied whole, private to their owner."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pollctl.errors import DatabaseError
from pollctl.store.lock import private_file

if TYPE_CHECKING:
    from sqlite_utils import Database


def require_folder(path: Path) -> None:
    """See that there is a folder for the database and its locks.

    Raises:
        DatabaseError: there is none.
    """
    if not path.parent.is_dir():
        raise DatabaseError(f"{path}: there is no folder {path.parent}; create it, or set pollctl.database elsewhere")


def create(path: Path, fill: Callable[[Path], None]) -> None:
    """Make a finished database appear at *path* at once; a crash on the way leaves only a ``.new`` for the next try."""
    require_folder(path)
    unfinished = path.with_name(f"{path.name}.new")
    lock = private_file(path.with_name(f"{path.name}.lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        for leftover in path.parent.glob(f"{path.name}.new*"):
            leftover.unlink()
        _touch_private(unfinished)
        fill(unfinished)
        _sync(unfinished)
        unfinished.replace(path)
        _sync(path.parent)
    finally:
        os.close(lock)


def backup(source: Database, target: Path) -> None:
    """Copy the database to *target* (0600), consistent while passes run; an existing *target* is replaced as a whole."""
    unfinished = target.with_name(f"{target.name}.part")
    _touch_private(unfinished)
    copy = sqlite3.connect(unfinished)
    try:
        source.conn.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _touch_private(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.close(private_file(path, os.O_EXCL))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
