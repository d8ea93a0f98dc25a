"""How SQLite journals what is written (docs/decisions/0006-the-journal.md)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from pollctl.patience import BUSY_TIMEOUT_S

if TYPE_CHECKING:
    from sqlite_utils import Database


def mode(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """WAL where the linked SQLite is free of the WAL-reset race (https://www.sqlite.org/wal.html#walresetbug), else TRUNCATE."""
    is_safe = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if is_safe else "TRUNCATE"


def choose(db: Database) -> None:
    """Have the database journal in the way that is right for this SQLite."""
    wanted = mode()
    if str(db.execute("PRAGMA journal_mode").fetchone()[0]).upper() != wanted:
        # The change needs the file for itself; while others read, the next opener tries again.
        db.execute("PRAGMA busy_timeout=0")
        try:
            db.execute(f"PRAGMA journal_mode={wanted}").fetchall()
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
        finally:
            db.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")
