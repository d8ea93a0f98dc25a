"""Following an operation by a new job, and a failed one once more."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl import PollctlError, to_text
from pollctl_stockx_ops import queries
from pollctl_stockx_ops.model import NewJob

if TYPE_CHECKING:
    from sqlite_utils import Database


def track(db: Database, new: NewJob, now: datetime, poll_delay: timedelta) -> tuple[str, bool]:
    """Follow an operation; answers the id of the job that does, and whether it is new: an operation has one job, the first."""
    row = db.execute(
        "SELECT id FROM stockx_batch_jobs WHERE stockx_operation_id = ? ORDER BY started_at, id LIMIT 1",
        [new.operation_id],
    ).fetchone()
    if row:
        return row[0], False
    job_id = secrets.token_hex(8)
    db.execute(
        """INSERT INTO stockx_batch_jobs (id, user_id, job_type, stockx_operation_id, stockx_listing_id, started_at,
               next_poll_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            job_id,
            new.user_id,
            new.job_type,
            new.operation_id,
            new.listing_id,
            to_text(now),
            to_text(now + poll_delay),
            to_text(now),
        ],
    )
    return job_id, True


def retry(db: Database, job_id: str, now: datetime) -> None:
    """Put a failed job back, due at once, as a new attempt.

    Raises:
        UsageError: there is no such job.
        PollctlError: it has not failed.
    """
    job = queries.job(db, job_id)
    if job["status"] != "FAILED":
        raise PollctlError(f"job {job_id} is {job['status']}; only a FAILED one can be retried")
    moment, attempt = to_text(now), job["attempt"] + 1
    db.execute(
        """UPDATE stockx_batch_jobs SET status = 'PENDING', started_at = ?1, next_poll_at = ?1, updated_at = ?1,
           attempt = ?2, error_code = NULL, error_message = NULL, completed_at = NULL, asked_at = NULL,
           forbidden_count = 0, forbidden_since = NULL WHERE id = ?3""",
        [moment, attempt, job_id],
    )
    db.execute(
        """INSERT INTO stockx_listing_history
           (stockx_listing_id, job_id, attempt, action, status, changed_by, changed_at, metadata)
           VALUES (?, ?, ?, 'retry', 'PENDING', 'operator', ?, ?)""",
        [
            job["stockx_listing_id"],
            job_id,
            attempt,
            moment,
            json.dumps({"operation_id": job["stockx_operation_id"], "job_id": job_id}),
        ],
    )
