"""The SELECTs behind listings and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl import UsageError, counted, sql, to_text
from pollctl_stockx_ops.model import COUNTERS, LISTING_STATUS

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST = 2**63 - 1  # as far as SQLite counts
_LATE = timedelta(minutes=10)  # after its moment somebody should have asked
_JOBS = """SELECT id, user_id, job_type, status, stockx_operation_id, stockx_listing_id, error_code, error_message,
    started_at, next_poll_at, poll_count, attempt, updated_at, completed_at, metadata FROM stockx_batch_jobs"""
_WANTED = "(:user IS NULL OR user_id = :user) AND (:since IS NULL OR started_at >= :since)"
_SOME_JOBS = f"SELECT * FROM stockx_batch_jobs WHERE {_WANTED} ORDER BY started_at DESC, id LIMIT :limit"  # noqa: S608
USERS = "SELECT user_id, status FROM stockx_accounts ORDER BY user_id"
JOB_IDS = "SELECT id, status FROM stockx_batch_jobs ORDER BY started_at DESC"
LISTING_IDS = "SELECT stockx_listing_id, status FROM stockx_listings ORDER BY updated_at DESC"
"""What a shell offers for a user, a job, a listing."""


class Wanted(NamedTuple):
    """Which rows a listing shows: those of a user, since a moment, and how many at most; None for all."""

    user: str | None = None
    since: datetime | None = None
    limit: int | None = None

    def values(self) -> dict[str, Any]:
        """What the statements take; SQLite knows -1 as no limit."""
        return {
            "user": self.user,
            "since": to_text(self.since) if self.since else None,
            "limit": -1 if self.limit is None else min(self.limit, _MOST),
        }


ALL = Wanted()


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


def jobs(db: Database, status: str | None, wanted: Wanted = ALL) -> sql.Listing:
    """Jobs, the newest first."""
    statement = (
        f"{_JOBS} WHERE (:status IS NULL OR status = :status) AND {_WANTED} ORDER BY started_at DESC, id LIMIT :limit"
    )
    return sql.Listing(db, statement, {"status": status, **wanted.values()})


def job(db: Database, job_id: str) -> dict[str, Any]:
    """One job.

    Raises:
        UsageError: there is none with this id.
    """
    for row in db.query(f"{_JOBS} WHERE id = ?", [job_id]):
        return row
    raise UsageError(f"no job {job_id!r}; `pollctl stockx-ops jobs` lists them")


def listings(db: Database, wanted: Wanted = ALL) -> sql.Listing:
    """Listings, the latest change first."""
    return sql.Listing(
        db,
        """SELECT stockx_listing_id, user_id, status, ask_price, currency_code, expires_at, updated_at
               FROM stockx_listings WHERE (:user IS NULL OR user_id = :user) AND (:since IS NULL OR updated_at >= :since)
               ORDER BY updated_at DESC, stockx_listing_id LIMIT :limit""",
        wanted.values(),
    )


def history(db: Database, listing_id: str | None, wanted: Wanted = ALL) -> sql.Listing:
    """What happened, to one listing or to all, the newest first; ``metadata`` decoded."""
    return sql.Listing(
        db,
        """SELECT id, stockx_listing_id, job_id, attempt, action, status, changed_by, changed_at, metadata
           FROM stockx_listing_history AS row WHERE (:listing IS NULL OR stockx_listing_id = :listing)
           AND (:since IS NULL OR changed_at >= :since)
           AND (:user IS NULL OR EXISTS (SELECT 1 FROM stockx_batch_jobs AS job
               WHERE job.id = row.job_id AND job.user_id = :user))
           ORDER BY id DESC LIMIT :limit""",
        {"listing": listing_id, **wanted.values()},
        lambda row: {**row, "metadata": _decoded(row["metadata"])},
    )


def stats(db: Database, wanted: Wanted = ALL) -> dict[str, Any]:
    """What became of jobs, and how well operations end; None without any.

    Counted are all passes that are remembered, since the moment that is *wanted*; for one user, or a number of jobs, the
    answers about those jobs.
    """
    totals = (
        _totals_of_passes(db, wanted) if wanted.user is None and wanted.limit is None else _totals_of_jobs(db, wanted)
    )
    (mean,) = db.execute(
        f"""SELECT avg((julianday(completed_at) - julianday(started_at)) * 86400)
           FROM ({_SOME_JOBS}) WHERE status = 'COMPLETED'""",  # noqa: S608 - own text
        wanted.values(),
    ).fetchone()
    rates = db.execute(
        f"""SELECT job_type, round(1.0 * sum(status = 'COMPLETED') / count(*), 4) FROM ({_SOME_JOBS})
           WHERE status IN ('COMPLETED', 'FAILED', 'PARTIAL') GROUP BY job_type ORDER BY job_type""",  # noqa: S608
        wanted.values(),
    )
    share = round(totals["rate_limited"] / totals["processed"], 4) if totals["processed"] else None
    return {
        **totals,
        "mean_completion_seconds": None if mean is None else round(mean, 3),
        "success_rate": {**dict.fromkeys(LISTING_STATUS), **dict(rates.fetchall())},
        "rate_limited_share": share,
    }


def warnings(db: Database) -> int:
    """How many fields could not be read in the passes that are remembered."""
    return _total(db, "warnings", ALL)


def _totals_of_passes(db: Database, wanted: Wanted) -> dict[str, int]:
    return {name: _total(db, name, wanted) for name in ("processed", *COUNTERS)}


def _total(db: Database, name: str, wanted: Wanted) -> int:
    (number,) = db.execute(
        """SELECT coalesce(sum(json_extract(stats, '$.' || :name)), 0) FROM runs
           WHERE plugin = 'stockx_ops' AND (:since IS NULL OR started_at >= :since)""",
        {"name": name, **wanted.values()},
    ).fetchone()
    return int(number)


def _totals_of_jobs(db: Database, wanted: Wanted) -> dict[str, int]:
    """The same of some jobs: their ends as the history has them, and the other answers as they were counted at the job."""
    ends = db.execute(
        f"""SELECT coalesce(sum(status NOT IN ('FAILED', 'TIMEOUT', 'PARTIAL')), 0), coalesce(sum(status = 'FAILED'), 0),
               coalesce(sum(status = 'TIMEOUT'), 0), coalesce(sum(status = 'PARTIAL'), 0)
           FROM stockx_listing_history WHERE action <> 'retry' AND job_id IN (SELECT id FROM ({_SOME_JOBS}))""",  # noqa: S608
        wanted.values(),
    ).fetchone()
    asked, rate_limited = db.execute(
        f"SELECT coalesce(sum(poll_count), 0), coalesce(sum(rate_limited_count), 0) FROM ({_SOME_JOBS})",  # noqa: S608
        wanted.values(),
    ).fetchone()
    completed, failed, timed_out, partial = ends
    in_progress = max(0, asked - completed - failed - partial - rate_limited)
    counts = (completed, failed, timed_out, partial, in_progress, rate_limited)
    return {"processed": sum(counts), **dict(zip(COUNTERS, counts, strict=True))}


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
    """What `check` warns of: jobs that should have been asked after a while ago, and accounts that do not work."""
    number, since = db.execute(
        "SELECT count(*), min(next_poll_at) FROM stockx_batch_jobs "
        "WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at < ?",
        [to_text(now - _LATE)],
    ).fetchone()
    what = "1 job waits" if number == 1 else f"{number} jobs wait"
    found = [f"{what} to be asked after since {since}; `pollctl why stockx-ops`"] if number else []
    return [*found, *_ended_accounts(db)]


def _ended_accounts(db: Database) -> Iterator[str]:
    for row in accounts(db):
        if is_lost(row) and row["open_jobs"]:
            how = f"`{connecting(row)}`"
            yield f"account {row['user_id']} is {row['status']}, {counted(row['open_jobs'], 'job')} of it open; {how}"


def is_lost(account: Mapping[str, Any]) -> bool:
    """Whether a login ended although nobody revoked it."""
    return account["status"] in ("BROKEN", "EXPIRED")


def connecting(account: Mapping[str, Any]) -> str:
    """The command that connects an account anew."""
    return f"pollctl stockx-ops account connect {account['user_id']} --refresh-token-env NAME"
