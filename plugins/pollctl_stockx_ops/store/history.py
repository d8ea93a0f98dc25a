"""The history: one row for each end of a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import to_text
from pollctl_stockx_ops.model import CompleteJob, FailJob

if TYPE_CHECKING:
    from sqlite_utils import Database


def write_history(db: Database, completed: Sequence[CompleteJob], failed: Sequence[FailJob], now: datetime) -> None:
    """Write what became of jobs; an end that is known already stays as it was."""
    ends: list[CompleteJob | FailJob] = [*completed, *failed]
    db.conn.executemany(
        """INSERT INTO stockx_listing_history
           (stockx_listing_id, job_id, attempt, action, status, changed_at, metadata)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        [
            (
                _listing_id(end),
                end.job.id,
                end.job.attempt,
                end.job.job_type,
                _status(end),
                to_text(now),
                json.dumps({"operation_id": end.job.operation_id, "job_id": end.job.id, **_facts(end)}),
            )
            for end in ends
        ],
    )


def _listing_id(end: CompleteJob | FailJob) -> str | None:
    return end.listing_id if isinstance(end, CompleteJob) else end.job.listing_id


def _status(end: CompleteJob | FailJob) -> str:
    if isinstance(end, CompleteJob):
        return end.history_status
    return "TIMEOUT" if end.is_timeout else "FAILED"


def _facts(end: CompleteJob | FailJob) -> dict[str, Any]:
    """What else there is to know, and what beside the upstream's word could not be read."""
    warnings = {"warnings": end.unread} if end.unread else {}
    if isinstance(end, FailJob) and end.is_timeout:
        return {"reason": "timeout", **warnings}
    if isinstance(end, CompleteJob) and not end.is_partial:
        return warnings
    partial = {"partial": True} if isinstance(end, CompleteJob) else {}
    return {**partial, "error": {"code": end.error_code, "message": end.error_message}, **warnings}
