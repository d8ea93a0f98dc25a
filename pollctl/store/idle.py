"""Statements about idle plugins: those whose last pass said that there is nothing to do before a moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from pollctl.clock import to_text


def keep(db: Database, plugin: str, *, since: datetime, until: datetime, settings: str) -> None:
    """Remember that a plugin wants no pass before *until*.

    Args:
        db: the database, within a transaction.
        plugin: which.
        since: now.
        until: the moment; one that is not ahead is not kept.
        settings: ``Config.digest_of``: other settings end it.
    """
    if to_text(until) > to_text(since):
        row = (plugin, to_text(since), to_text(until), settings)
        db.conn.execute("INSERT OR REPLACE INTO idle VALUES (?,?,?,?)", row)


def end(db: Database, plugins: Iterable[str]) -> None:
    """Let plugins have their next pass as their schedule says; what `due` knew of when that is, it must find out again."""
    db.conn.executemany("DELETE FROM idle WHERE plugin=?", [(name,) for name in plugins])
    db.conn.execute("DELETE FROM next_due")
