"""What the report shows of stockx_ops: what became of the operations?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Column, Figure, KeyFigures, Lane, Notice, Section, Span, State, Table, Timeline, counted, from_text
from pollctl.sql import columns
from pollctl_stockx_ops import queries

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST_LANES = 10
_MOST_ROWS = 14
_NO_ACCOUNT = "No account: `pollctl stockx-ops account connect USER` makes one."
_STATES = {
    "COMPLETED": State("completed", "ok"),
    "FAILED": State("failed", "fail"),
    "PARTIAL": State("partial", "warn"),
    "PENDING": State("pending", "info"),
    "IN_PROGRESS": State("in progress", "info"),
}
_ACCOUNT_COLUMNS = (
    Column("user_id", "account", "id"),
    Column("login", kind="state"),
    Column("open_jobs", "open jobs", "number"),
    Column("updated_at", "since", "moment", drop=1),
)
_JOB_COLUMNS = (
    Column("started_at", "started", "moment"),
    Column("stockx_listing_id", "listing", "id"),
    Column("job_type", "operation", drop=1),
    Column("user_id", "account", "id", drop=2),
    Column("state", kind="state"),
    Column("took", kind="span", drop=2),
    Column("error_message", "error"),
)
PRIVACY = {
    "stockx_accounts": columns(
        shown="user_id status expires_at connected_at updated_at",
        private="access_token refresh_token",
    ),
    "stockx_notify": columns(shown="user_id", private="url"),
    "stockx_batch_jobs": columns(
        shown="id user_id job_type status stockx_operation_id stockx_listing_id error_code error_message started_at "
        "next_poll_at updated_at completed_at asked_at forbidden_since",
        private="metadata",
    ),
    "stockx_listings": columns(shown="stockx_listing_id user_id status currency_code expires_at updated_at"),
    "stockx_listing_history": columns(
        shown="stockx_listing_id job_id action status changed_by changed_at",
        private="metadata",
    ),
    "stockx_days": columns(shown="day summarised_at"),
    "stockx_pace": columns(shown="boot_id"),
}
"""Logins of users, what their operations say, and addresses of people are private."""
QUERIES = {
    "open": (
        "Operations that are open",
        """SELECT started_at, user_id, job_type, stockx_listing_id, status, poll_count, next_poll_at
FROM stockx_batch_jobs WHERE status IN ('PENDING', 'IN_PROGRESS') ORDER BY started_at LIMIT 500""",
    ),
    "failed": (
        "Operations that failed",
        """SELECT started_at, completed_at, user_id, job_type, stockx_listing_id, status, error_code, error_message
FROM stockx_batch_jobs WHERE status IN ('FAILED', 'PARTIAL') ORDER BY started_at DESC LIMIT 200""",
    ),
    "accounts": (
        "Accounts and their operations",
        """SELECT accounts.user_id, accounts.status, expires_at, count(jobs.id) AS operations,
    sum(jobs.status = 'FAILED') AS failed
FROM stockx_accounts AS accounts LEFT JOIN stockx_batch_jobs AS jobs ON jobs.user_id = accounts.user_id GROUP BY 1""",
    ),
    "history-of-listing": (
        "The history of one listing",
        """SELECT changed_at, action, status, changed_by, job_id, attempt
FROM stockx_listing_history WHERE stockx_listing_id = :listing ORDER BY id DESC LIMIT 500""",
    ),
}
"""By name: title and SELECT."""


def sections(db: Database, now: datetime, since: datetime) -> list[Section]:
    """Accounts, the latest operations as lanes and as rows."""
    accounts = queries.accounts(db)
    jobs = queries.jobs(db, None)[:_MOST_ROWS]
    counts = queries.by_status(db, "stockx_batch_jobs")
    total = sum(counts.values())
    blocks = (
        KeyFigures(_figures(counts)),
        Table(_ACCOUNT_COLUMNS, [_account(row) for row in accounts], "Accounts", _NO_ACCOUNT),
        _timeline(jobs, since, now),
        Table(_JOB_COLUMNS, [_row(job) for job in jobs], "Operations", "No operation is followed.", total),
    )
    notices = [_notice(row) for row in accounts if queries.is_lost(row) and row["open_jobs"]]
    return [Section("What became of the operations?", blocks, _summary(accounts, counts), notices)]


def _notice(row: Mapping[str, Any]) -> Notice:
    """An account whose jobs wait until its user logs in again."""
    text = f"the login of {row['user_id']} is {row['status'].lower()}, {counted(row['open_jobs'], 'job')} of it open"
    return Notice(text, since=from_text(row["updated_at"]), remedy=queries.connecting(row))


def _figures(counts: Mapping[str, int]) -> tuple[Figure, ...]:
    completed, failed = counts.get("COMPLETED", 0), counts.get("FAILED", 0) + counts.get("PARTIAL", 0)
    ended = completed + failed
    return (
        Figure("open", counts.get("PENDING", 0) + counts.get("IN_PROGRESS", 0)),
        Figure("completed", completed, level="ok"),
        Figure("failed", failed, level="fail" if failed else "none"),
        Figure("success", round(100 * completed / ended, 1) if ended else None, unit="%" if ended else ""),
    )


def _account(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with how its login stands; one that was revoked is nobody's trouble."""
    is_active = row["status"] == "ACTIVE"
    return {
        **row,
        "login": State(row["status"].lower(), "fail" if queries.is_lost(row) else "ok" if is_active else "none"),
    }


def _summary(accounts: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> str:
    lost = [row["user_id"] for row in accounts if queries.is_lost(row)]
    parts = [f"{counted(len(lost), 'login')} lost: {', '.join(lost)}"] if lost else []
    ended = [
        f"{counts[status]} {_STATES[status].word}"
        for status in ("COMPLETED", "FAILED", "PARTIAL")
        if counts.get(status)
    ]
    return "; ".join([*parts, *filter(None, [", ".join(ended)])])


def _row(job: Mapping[str, Any]) -> dict[str, Any]:
    ends_at = job["completed_at"]
    took = from_text(ends_at) - from_text(job["started_at"]) if ends_at else None
    return {**job, "state": _STATES[job["status"]], "took": took}


def _timeline(jobs: Sequence[Mapping[str, Any]], since: datetime, now: datetime) -> Timeline:
    """The latest operations from start to end; the axis begins with the first that is shown."""
    shown = [job for job in jobs if not job["completed_at"] or from_text(job["completed_at"]) >= since][:_MOST_LANES]
    start = min((from_text(job["started_at"]) for job in shown), default=since)
    return Timeline([_lane(job, now) for job in shown], max(since, start), now, "Latest operations, from start to end")


def _lane(job: Mapping[str, Any], now: datetime) -> Lane:
    state = _STATES[job["status"]]
    text = ": ".join(filter(None, (state.word, job["error_message"])))
    ends_at = from_text(job["completed_at"]) if job["completed_at"] else now
    label = f"{job['stockx_listing_id'] or job['id']} {job['job_type'].removesuffix('_listing')}"
    return Lane(label, [Span(from_text(job["started_at"]), ends_at, state.level, text)])
