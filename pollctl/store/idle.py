"""Statements about idle plugins: those whose last pass said that there is nothing to do before a moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl.clock import to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_WRITTEN = ""
"""In place of a digest of settings: a command has written since the last pass began."""


def keep(db: Database, plugin: str, *, since: datetime, until: datetime, settings: str) -> None:
    """Remember that a plugin wants no pass before *until*, unless a command has written since this pass began.

    Args:
        db: the database, within a transaction.
        plugin: which.
        since: now.
        until: the moment; one that is not ahead is not kept.
        settings: ``Config.digest_of``: other settings end it.
    """
    if to_text(until) > to_text(since):
        db.conn.execute(
            "INSERT INTO idle SELECT ?1,?2,?3,?4 WHERE NOT EXISTS (SELECT 1 FROM idle WHERE plugin=?1 AND settings=?5) "
            "ON CONFLICT (plugin) DO UPDATE SET since=excluded.since, until=excluded.until, settings=excluded.settings",
            (plugin, to_text(since), to_text(until), settings, _WRITTEN),
        )


def begin_pass(db: Database, plugin: str) -> None:
    """Forget what the last pass of a plugin asked for; what `due` knew of when its next is, it must find out again."""
    db.conn.execute("DELETE FROM idle WHERE plugin=?", (plugin,))
    db.conn.execute("DELETE FROM next_due")


def end(db: Database, plugins: Iterable[str], now: datetime) -> None:
    """Let plugins have their next pass as their schedule says, whatever the last pass asked for, or one at work will."""
    marks = [(name, to_text(now), to_text(now + timedelta(seconds=1)), _WRITTEN) for name in plugins]
    db.conn.executemany("INSERT OR REPLACE INTO idle VALUES (?,?,?,?)", marks)
    db.conn.execute("DELETE FROM next_due")
