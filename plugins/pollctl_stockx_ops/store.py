"""The SQL of a pass: what fetch asks, ``load`` and ``apply``; see also tables.py and listings.py."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl import Secret, from_text, to_text
from pollctl_stockx_ops import apply as writing
from pollctl_stockx_ops import recipients
from pollctl_stockx_ops.model import Account, Batch, Day, DayCounts, Decision, Job, Pace, Settings, State

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

OVERDUE_AT_ONCE = 500
"""Jobs that one transaction times out at most."""


class Due(NamedTuple):
    """A job to be asked about."""

    job_id: str
    attempt: int
    user_id: str
    operation_id: str
    listing_id: str | None
    started_at: str


class Login(NamedTuple):
    """What an account is asked for with."""

    user_id: str
    connection: int
    access_token: Secret | None
    refresh_token: Secret | None
    expires_at: datetime | None


# what fetch asks

_CHOSEN = """status IN ('PENDING', 'IN_PROGRESS') AND stockx_operation_id <> '' AND started_at >= :oldest
    AND (:may_lack_listing OR stockx_listing_id <> '')
    AND EXISTS (SELECT 1 FROM stockx_accounts AS account
        WHERE account.user_id = job.user_id AND account.status = 'ACTIVE')"""
_COLUMNS = "id, attempt, user_id, stockx_operation_id, stockx_listing_id, started_at"
_DUE = f"""SELECT * FROM (
    SELECT * FROM (SELECT {_COLUMNS} FROM stockx_batch_jobs AS job INDEXED BY stockx_jobs_new
        WHERE {_CHOSEN} AND next_poll_at IS NULL AND started_at <= :newest ORDER BY started_at, id LIMIT :most)
    UNION ALL
    SELECT * FROM (SELECT {_COLUMNS} FROM stockx_batch_jobs AS job INDEXED BY %s
        WHERE {_CHOSEN} AND next_poll_at <= :now ORDER BY started_at, id LIMIT :most)
) ORDER BY started_at, id LIMIT :most"""  # noqa: S608 - own text
FEW = 500
DUE_OF_FEW = _DUE % "stockx_jobs_by_moment"
"""The oldest due jobs, where few of those asked about before are due: these are read, and sorted by their start."""
DUE_OF_MANY = _DUE % "stockx_jobs_asked"
"""The same, where many are: they are read in the order of their starts, until there are enough."""


def due_jobs(db: Database, now: datetime, settings: Settings) -> list[Due]:
    """The jobs to be asked about now, the oldest first."""
    return [Due(*row) for row in db.execute(due_statement(db, now), due_values(now, settings))]


def due_statement(db: Database, now: datetime) -> str:
    """The way to choose that reads the fewest rows."""
    (number,) = db.execute(
        """SELECT count(*) FROM (SELECT 1 FROM stockx_batch_jobs INDEXED BY stockx_jobs_by_moment
           WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at <= ? LIMIT ?)""",
        [to_text(now), FEW],
    ).fetchone()
    return DUE_OF_FEW if number < FEW else DUE_OF_MANY


def due_values(now: datetime, settings: Settings) -> dict[str, Any]:
    """The values that these take; ``oldest`` is the last moment whose jobs still have time."""
    return {
        "now": to_text(now),
        "newest": to_text(now - settings.poll_delay),
        "oldest": to_text(now - settings.give_up_after),
        "may_lack_listing": settings.dialect != "v2",
        "most": settings.max_jobs,
    }


def overdue_jobs(db: Database, before: datetime, after: tuple[str, str]) -> list[tuple[str, str]]:
    """Start and id of open jobs that started before a moment, the oldest first, in steps: those *after* the last one."""
    return db.execute(
        """SELECT started_at, id FROM stockx_batch_jobs
           WHERE status IN ('PENDING', 'IN_PROGRESS') AND stockx_operation_id <> ''
           AND started_at < ?1 AND (started_at, id) > (?2, ?3) ORDER BY started_at, id LIMIT ?4""",
        [to_text(before), *after, OVERDUE_AT_ONCE],
    ).fetchall()


def logins(db: Database, users: Iterable[str]) -> dict[str, Login]:
    """The working logins of users."""
    rows = db.execute(
        """SELECT user_id, connection, access_token, refresh_token, expires_at FROM stockx_accounts
           WHERE status = 'ACTIVE' AND user_id IN (SELECT value FROM json_each(?))""",
        [json.dumps(sorted(set(users)))],
    )
    return {
        user: Login(user, connection, _secret(access), _secret(refresh), _moment(expires_at))
        for user, connection, access, refresh, expires_at in rows
    }


def pace(db: Database) -> Pace | None:
    """When the latest request of earlier passes started; None before the first."""
    row = db.execute("SELECT boot_id, last_start FROM stockx_pace").fetchone()
    return Pace(boot_id=row[0], last_start=row[1]) if row else None


def is_summarised(db: Database, day: str) -> bool:
    """Whether a day was summed up."""
    return db.execute("SELECT 1 FROM stockx_days WHERE day = ?", [day]).fetchone() is not None


# load


def load(db: Database, batch: Batch, run: Run) -> State:
    """The rows that one batch needs."""
    jobs = _jobs(db, [*batch.overdue, *(reply.job_id for reply in batch.replies)])
    summaries = _summaries(db, batch.day)
    users = {job.user_id for job in jobs.values()} | set(summaries)
    return State(
        jobs=jobs,
        accounts=_accounts(
            db, users | {kept.user_id for kept in batch.tokens} | {lost.user_id for lost in batch.expired}
        ),
        recipients=recipients.of(db, users, run),
        summaries=summaries,
    )


def _jobs(db: Database, ids: Iterable[str]) -> dict[str, Job]:
    rows = db.execute(
        """SELECT id, user_id, job_type, status, stockx_operation_id, nullif(stockx_listing_id, ''), started_at, attempt
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
    )


def _accounts(db: Database, users: Iterable[str]) -> dict[str, Account]:
    rows = db.execute(
        """SELECT user_id, status, connection FROM stockx_accounts
           WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY user_id""",
        [json.dumps(sorted(users))],
    )
    return {user: Account(status=status, connection=connection) for user, status, connection in rows}


def _summaries(db: Database, day: Day | None) -> dict[str, DayCounts]:
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


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


# apply


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, each kind at once, and queue the notifications."""
    writing.apply(db, decisions, run)
