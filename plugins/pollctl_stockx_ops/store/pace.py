"""When the latest request started, from pass to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_stockx_ops.model import Pace

if TYPE_CHECKING:
    from sqlite_utils import Database


def latest_pace(db: Database) -> Pace | None:
    """When the latest request of earlier passes started; None before the first."""
    row = db.execute("SELECT boot_id, last_start FROM stockx_pace").fetchone()
    return Pace(boot_id=row[0], last_start=row[1]) if row else None


def keep_pace(db: Database, pace: Pace) -> None:
    """Remember when the latest request of this pass started."""
    db.execute("INSERT OR REPLACE INTO stockx_pace VALUES (1, ?, ?)", [pace.boot_id, pace.last_start])
