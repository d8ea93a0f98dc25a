"""Raw samples that are rolled up and older than they are kept: found and deleted in steps."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_latency.model import PruneSamples
from pollctl_latency.store.jobs import in_groups

if TYPE_CHECKING:
    from sqlite_utils import Database

PRUNED_AT_ONCE = 20_000
"""Samples that one pass deletes at most: more than it adds, and few enough to be quick."""


def prunable_jobs(db: Database, before: datetime) -> list[int]:
    """Rolled-up jobs whose oldest sample is older than *before*, as many as fill one step; none that has samples to send."""
    rows = db.execute(
        """SELECT id, success + missed + system_error FROM latency_jobs AS job WHERE is_rolled_up = 1 AND
           (SELECT recorded_at FROM latency_samples WHERE job_id = job.id ORDER BY sequence_number) < ?
           AND NOT EXISTS (SELECT 1 FROM latency_mirror AS mirror WHERE mirror.job_id = job.id AND state IN ('active', 'closing'))
           AND NOT EXISTS (SELECT 1 FROM latency_mirror_held AS held WHERE held.job_id = job.id)""",
        [to_text(before)],
    ).fetchall()
    return next(in_groups(rows, PRUNED_AT_ONCE), [])


def prune(db: Database, pruned: PruneSamples) -> None:
    """Delete the oldest samples of a job, as many as one step takes."""
    db.execute(
        """DELETE FROM latency_samples WHERE job_id = ?1 AND sequence_number IN (
           SELECT sequence_number FROM latency_samples WHERE job_id = ?1 AND recorded_at < ?2
           ORDER BY sequence_number LIMIT ?3)""",
        [pruned.job_id, to_text(pruned.before), PRUNED_AT_ONCE],
    )
