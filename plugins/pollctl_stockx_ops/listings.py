"""The SQL behind the commands and the metrics: accounts, new jobs, retries, and rows for people."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pollctl import PollctlError, Secret, UsageError, to_text
from pollctl_stockx_ops.model import COUNTED, LISTING_STATUS, NewJob

if TYPE_CHECKING:
    from sqlite_utils import Database

_JOBS = """SELECT id, user_id, job_type, status, stockx_operation_id, stockx_listing_id, error_code, error_message,
    started_at, next_poll_at, poll_count, attempt, updated_at, completed_at, metadata FROM stockx_batch_jobs"""

# accounts


def connect_account(db: Database, user_id: str, refresh_token: Secret, urls: Sequence[str], now: datetime) -> None:
    """Let jobs of a user be followed by a new login; addresses that are given take the place of earlier ones."""
    db.execute(
        """INSERT INTO stockx_accounts (user_id, refresh_token, connected_at, updated_at) VALUES (?1, ?2, ?3, ?3)
           ON CONFLICT (user_id) DO UPDATE SET status = 'ACTIVE', refresh_token = excluded.refresh_token,
               access_token = NULL, expires_at = NULL, connection = connection + 1,
               connected_at = excluded.connected_at, updated_at = excluded.updated_at""",
        [user_id, refresh_token.reveal(), to_text(now)],
    )
    if urls:
        db.execute("DELETE FROM stockx_notify WHERE user_id = ?", [user_id])
        db.conn.executemany("INSERT INTO stockx_notify VALUES (?, ?)", [(user_id, url) for url in dict.fromkeys(urls)])


def revoke_account(db: Database, user_id: str, now: datetime) -> None:
    """Forget the login of a user.

    Raises:
        UsageError: there is no such account.
    """
    account(db, user_id)
    db.execute(
        """UPDATE stockx_accounts SET status = 'REVOKED', access_token = NULL, refresh_token = NULL, expires_at = NULL,
           updated_at = ? WHERE user_id = ?""",
        [to_text(now), user_id],
    )


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
        UsageError: there is none of this user.
    """
    for row in accounts(db):
        if row["user_id"] == user_id:
            return row
    raise UsageError(
        f"no account {user_id!r}; connect it: `pollctl stockx-ops account connect {user_id} --refresh-token-env NAME`"
    )


# jobs


def track(db: Database, new: NewJob, now: datetime, poll_delay: timedelta) -> str:
    """Follow an operation, and answer the job's id.

    Raises:
        PollctlError: an open job follows it already.
    """
    row = db.execute(
        """SELECT id FROM stockx_batch_jobs WHERE stockx_operation_id = ? AND status IN ('PENDING', 'IN_PROGRESS')""",
        [new.operation_id],
    ).fetchone()
    if row:
        raise PollctlError(f"job {row[0]} follows operation {new.operation_id} already")
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
    return job_id


def retry(db: Database, job_id: str, now: datetime) -> None:
    """Put a failed job back, due at once, as a new attempt.

    Raises:
        UsageError: there is no such job.
        PollctlError: it has not failed.
    """
    found = job(db, job_id)
    if found["status"] != "FAILED":
        raise PollctlError(f"job {job_id} is {found['status']}; only a FAILED one can be retried")
    moment, attempt = to_text(now), found["attempt"] + 1
    db.execute(
        """UPDATE stockx_batch_jobs SET status = 'PENDING', started_at = ?1, next_poll_at = ?1, updated_at = ?1,
           attempt = ?2, error_code = NULL, error_message = NULL WHERE id = ?3""",
        [moment, attempt, job_id],
    )
    db.execute(
        """INSERT INTO stockx_listing_history
           (stockx_listing_id, job_id, attempt, action, status, changed_by, changed_at, metadata)
           VALUES (?, ?, ?, 'retry', 'PENDING', 'operator', ?, ?)""",
        [
            found["stockx_listing_id"],
            job_id,
            attempt,
            moment,
            json.dumps({"operation_id": found["stockx_operation_id"], "job_id": job_id}),
        ],
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


# numbers


def stats(db: Database) -> dict[str, Any]:
    """What became of jobs in all passes that are remembered, and how well operations end; None without any."""
    totals = {name: _total(db, name) for name in ("processed", *COUNTED)}
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


def oldest_open(db: Database) -> str | None:
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
