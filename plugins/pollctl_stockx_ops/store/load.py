"""Reading the rows that ``decide`` needs for one batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import from_text
from pollctl_stockx_ops.model import Account, Batch, Job, State
from pollctl_stockx_ops.store.days import summaries
from pollctl_stockx_ops.store.recipients import recipients_of

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def load(db: Database, batch: Batch, run: Run) -> State:
    """The rows that one batch needs."""
    jobs = _jobs(db, [*batch.overdue, *(response.job_id for response in batch.responses)])
    counts = summaries(db, batch.day)
    users = {job.user_id for job in jobs.values()} | set(counts) | {expired.user_id for expired in batch.expired}
    logins = {tokens.user_id for tokens in batch.tokens}
    return State(
        jobs=jobs,
        accounts=_accounts(db, users | logins),
        recipients=recipients_of(db, users, run),
        summaries=counts,
    )


def _jobs(db: Database, ids: Iterable[str]) -> dict[str, Job]:
    rows = db.execute(
        """SELECT id, user_id, job_type, status, stockx_operation_id, nullif(stockx_listing_id, ''), started_at, attempt,
               asked_at, forbidden_count, forbidden_since
           FROM stockx_batch_jobs
           WHERE stockx_operation_id <> '' AND id IN (SELECT value FROM json_each(?)) ORDER BY started_at, id""",
        [json.dumps(list(ids))],
    )
    return {row[0]: _job(row) for row in rows}


def _job(row: Sequence[Any]) -> Job:
    return Job(
        id=row[0],
        user_id=row[1],
        job_type=row[2],
        status=row[3],
        operation_id=row[4],
        listing_id=row[5],
        started_at=from_text(row[6]),
        attempt=row[7],
        asked_at=_moment(row[8]),
        forbidden_count=row[9],
        forbidden_since=_moment(row[10]),
    )


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _accounts(db: Database, users: Iterable[str]) -> dict[str, Account]:
    rows = db.execute(
        """SELECT user_id, status, connection FROM stockx_accounts
           WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY user_id""",
        [json.dumps(sorted(users))],
    )
    return {user: Account(status=status, connection=connection) for user, status, connection in rows}
