"""Days that were summed up, and what became of the jobs of one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_stockx_ops.model import Day, DayCounts

if TYPE_CHECKING:
    from sqlite_utils import Database


def is_summarised(db: Database, day: str) -> bool:
    """Whether a day was summed up."""
    return db.execute("SELECT 1 FROM stockx_days WHERE day = ?", [day]).fetchone() is not None


def summaries(db: Database, day: Day | None) -> dict[str, DayCounts]:
    """What became of the jobs of one day, by user; none when the day was summed up meanwhile."""
    if day is None or is_summarised(db, day.name):
        return {}
    rows = db.execute(
        """SELECT user_id, count(*), sum(status = 'COMPLETED'), sum(status = 'PARTIAL'),
               sum(status = 'FAILED' AND error_code IS NOT 'timeout'),
               sum(status = 'FAILED' AND error_code IS 'timeout'), sum(status IN ('PENDING', 'IN_PROGRESS'))
           FROM stockx_batch_jobs WHERE started_at >= ? AND started_at < ? GROUP BY user_id ORDER BY user_id""",
        [to_text(day.starts_at), to_text(day.ends_at)],
    )
    return {row[0]: DayCounts(**dict(zip(DayCounts.__struct_fields__, row[1:], strict=True))) for row in rows}


def mark_summarised(db: Database, day: str, now: datetime) -> None:
    """Remember that a day was summed up."""
    db.execute("INSERT OR IGNORE INTO stockx_days VALUES (?, ?)", [day, to_text(now)])
