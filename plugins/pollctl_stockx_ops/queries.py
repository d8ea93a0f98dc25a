"""The SELECTs behind listings and metrics."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pollctl import UsageError, to_text
from pollctl_stockx_ops.model import COUNTERS, LISTING_STATUS

if TYPE_CHECKING:
    from sqlite_utils import Database

_LATE = timedelta(minutes=10)  # after its moment somebody should have asked
_JOBS = """SELECT id, user_id, job_type, status, stockx_operation_id, stockx_listing_id, error_code, error_message,
    started_at, next_poll_at, poll_count, attempt, updated_at, completed_at, metadata FROM stockx_batch_jobs"""
USERS = "SELECT user_id, status FROM stockx_accounts ORDER BY user_id"
JOB_IDS = "SELECT id, status FROM stockx_batch_jobs ORDER BY started_at DESC"
LISTING_IDS = "SELECT stockx_listing_id, status FROM stockx_listings ORDER BY updated_at DESC"
"""What a shell offers for a user, a job, a listing."""


def accounts(db: Database) -> list[dict[str, Any]]:
    """All accounts by user; of their secrets only how many addresses there are."""
    return list(
        db.query(
            """SELECT user_id, status, expires_at, connected_at, updated_at,
                   (SELECT count(*) FROM stockx_notify WHERE user_id = account.user_id) AS recipients,
                   (SELECT count(*) FROM stockx_batch_jobs WHERE user_id = account.user_id
                       AND status IN ('PENDING', 'IN_PROGRESS')) AS open_jobs
               FROM stockx_accounts AS account ORDER BY user_id"""
        )
    )


def account(db: Database, user_id: str) -> dict[str, Any]:
    """One account.

    Raises:
        UsageError: this user has none.
    """
    for row in accounts(db):
        if row["user_id"] == user_id:
            return row
    raise UsageError(
        f"no account {user_id!r}; connect it: `pollctl stockx-ops account connect {user_id} --refresh-token-env NAME`"
    )


def jobs(db: Database, status: str | None) -> list[dict[str, Any]]:
    """Jobs, the newest first."""
    return list(db.query(f"{_JOBS} WHERE ?1 IS NULL OR status = ?1 ORDER BY started_at DESC, id", [status]))


def job(db: Database, job_id: str) -> dict[str, Any]:
    """One job.

    Raises:
        UsageError: there is none with this id.
    """
    for row in db.query(f"{_JOBS} WHERE id = ?", [job_id]):
        return row
    raise UsageError(f"no job {job_id!r}; `pollctl stockx-ops jobs` lists them")


def listings(db: Database) -> list[dict[str, Any]]:
    """All listings, the latest change first."""
    return list(
        db.query(
            """SELECT stockx_listing_id, user_id, status, ask_price, currency_code, expires_at, updated_at
               FROM stockx_listings ORDER BY updated_at DESC, stockx_listing_id"""
        )
    )


def history(db: Database, listing_id: str | None) -> list[dict[str, Any]]:
    """What happened, of one listing or of all, in its order; ``metadata`` decoded."""
    rows = db.query(
        """SELECT id, stockx_listing_id, job_id, attempt, action, status, changed_by, changed_at, metadata
           FROM stockx_listing_history WHERE ?1 IS NULL OR stockx_listing_id = ?1 ORDER BY id""",
        [listing_id],
    )
    return [{**row, "metadata": _decoded(row["metadata"])} for row in rows]


def stats(db: Database) -> dict[str, Any]:
    """What became of jobs in all passes that are remembered, and how well operations end; None without any."""
    totals = {name: _total(db, name) for name in ("processed", *COUNTERS)}
    (mean,) = db.execute(
        """SELECT avg((julianday(completed_at) - julianday(started_at)) * 86400)
           FROM stockx_batch_jobs WHERE status = 'COMPLETED'"""
    ).fetchone()
    rates = db.execute(
        """SELECT job_type, round(1.0 * sum(status = 'COMPLETED') / count(*), 4) FROM stockx_batch_jobs
           WHERE status IN ('COMPLETED', 'FAILED', 'PARTIAL') GROUP BY job_type ORDER BY job_type"""
    )
    share = round(totals["rate_limited"] / totals["processed"], 4) if totals["processed"] else None
    return {
        **totals,
        "mean_completion_seconds": None if mean is None else round(mean, 3),
        "success_rate": {**dict.fromkeys(LISTING_STATUS), **dict(rates.fetchall())},
        "rate_limited_share": share,
    }


def _total(db: Database, name: str) -> int:
    (number,) = db.execute(
        "SELECT coalesce(sum(json_extract(stats, '$.' || ?)), 0) FROM runs WHERE plugin = 'stockx_ops'", [name]
    ).fetchone()
    return int(number)


def by_status(db: Database, table: str) -> dict[str, int]:
    """How many rows of a table there are, by status."""
    return dict(db.execute(f"SELECT status, count(*) FROM {table} GROUP BY status").fetchall())  # noqa: S608


def oldest_open_job(db: Database) -> str | None:
    """When the oldest open job started."""
    (moment,) = db.execute(
        "SELECT min(started_at) FROM stockx_batch_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')"
    ).fetchone()
    return None if moment is None else str(moment)


def _decoded(metadata: str) -> Any:
    try:
        return json.loads(metadata)
    except ValueError:
        return metadata  # of another program


def nothing_due(db: Database) -> str:
    """Why there may be nothing to ask: no job that is open, or none before a moment."""
    number, at = db.execute(
        "SELECT count(*), min(next_poll_at) FROM stockx_batch_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')"
    ).fetchone()
    if not number:
        return "no job is open; `pollctl stockx-ops track OPERATION_ID` follows an operation"
    return f"{number} open, none due before {at}" if at else f"{number} open"


def unasked(db: Database, now: datetime) -> list[str]:
    """What `check` warns of: jobs that should have been asked after a while ago."""
    number, since = db.execute(
        "SELECT count(*), min(next_poll_at) FROM stockx_batch_jobs "
        "WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at < ?",
        [to_text(now - _LATE)],
    ).fetchone()
    what = "1 job waits" if number == 1 else f"{number} jobs wait"
    return [f"{what} to be asked after since {since}; `pollctl why stockx-ops`"] if number else []
