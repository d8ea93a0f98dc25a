"""Old rows go, a bounded number at the end of each pass, so that no pass ever pays for years at once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pollctl.clock import to_text
from pollctl.store.database import writing
from pollctl.store.runs import id_prefix

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.schema import Retention

ROWS_A_STEP = 500

_OLD = {
    "recordings": ("recordings", "run_id < ?"),
    "runs": ("runs", "id < ? AND outcome <> 'running'"),
    "effects": ("outbox", "status IN ('delivered', 'dead') AND created_at < ?"),
}


def prune(db: Database, retention: Retention, now: datetime, *, limit: int = ROWS_A_STEP) -> dict[str, int]:
    """Delete at most *limit* rows of each family that are older than the settings keep them; answers how many went."""
    deleted = {}
    for family, (table, is_old) in _OLD.items():
        moment = now - getattr(retention, family)
        before = to_text(moment) if family == "effects" else id_prefix(moment)
        chosen = f"SELECT rowid FROM {table} WHERE {is_old} LIMIT ?"  # noqa: S608 - names of our own
        deleted[family] = 0
        if db.conn.execute(chosen, (before, 1)).fetchone():
            with writing(db):
                statement = f"DELETE FROM {table} WHERE rowid IN ({chosen})"  # noqa: S608
                deleted[family] = db.conn.execute(statement, (before, limit)).rowcount
    return deleted
