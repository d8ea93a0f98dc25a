"""How often a plugin has failed in a row, and when somebody was notified of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from pollctl.clock import from_text, to_text

if TYPE_CHECKING:
    from sqlite_utils import Database


class Failures(Struct, frozen=True, kw_only=True):
    """How a plugin stands after a pass: failures in a row, since when, and when notifications about them last went out."""

    consecutive: int = 0
    last_alert_at: datetime | None = None
    since: datetime | None = None


def of_plugin(db: Database, plugin: str) -> Failures:
    """How often the plugin has failed in a row, and when somebody was last notified."""
    row = db.conn.execute(
        "SELECT consecutive_failures, last_alert_at FROM schedules WHERE plugin=?", (plugin,)
    ).fetchone()
    if row is None:
        return Failures()
    return Failures(consecutive=row[0], last_alert_at=from_text(row[1]) if row[1] else None)


def since(db: Database, plugin: str) -> datetime | None:
    """When the first began of the passes that failed in a row, now or before the latest one ended well."""
    row = db.conn.execute(
        """SELECT min(started_at) FROM runs WHERE plugin=?1 AND outcome IN ('failed', 'crashed') AND id > coalesce(
               (SELECT max(id) FROM runs WHERE plugin=?1 AND outcome IN ('ok', 'partial') AND id <
                   (SELECT max(id) FROM runs WHERE plugin=?1 AND outcome IN ('failed', 'crashed'))), '')""",
        (plugin,),
    ).fetchone()
    return from_text(row[0]) if row[0] else None


def note_alert(db: Database, plugin: str, at: datetime | None) -> None:
    """Remember when somebody was notified that the plugin keeps failing; None once its recovery was."""
    db.conn.execute("UPDATE schedules SET last_alert_at=? WHERE plugin=?", (to_text(at) if at else None, plugin))
