"""Held samples, sent again because a person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def release(db: Database, job_id: int | None) -> int:
    """Have the held samples of a job, or of all, sent again; answers how many there are."""
    closed = """UPDATE latency_mirror SET state = 'closing' WHERE state = 'closed' AND job_id IN
        (SELECT job_id FROM latency_mirror_held WHERE ?1 IS NULL OR job_id = ?1)"""
    db.execute(closed, [job_id])
    changed = db.execute("UPDATE latency_mirror_held SET is_released = 1 WHERE ?1 IS NULL OR job_id = ?1", [job_id])
    return int(changed.rowcount)
