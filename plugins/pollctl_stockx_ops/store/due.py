"""Which jobs a pass asks about or times out, and the logins to ask with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import Secret, from_text, to_text
from pollctl_stockx_ops.model import DueJob, Login, Settings

if TYPE_CHECKING:
    from sqlite_utils import Database

OVERDUE_AT_ONCE = 500
"""Jobs that one transaction times out at most."""
_CHOSEN = """status IN ('PENDING', 'IN_PROGRESS') AND stockx_operation_id <> ''
    AND (:may_lack_listing OR stockx_listing_id <> '')
    AND EXISTS (SELECT 1 FROM stockx_accounts AS account
        WHERE account.user_id = job.user_id AND account.status = 'ACTIVE')"""
_COLUMNS = "id, attempt, user_id, stockx_operation_id, stockx_listing_id, started_at, next_poll_at"
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


def due_jobs(db: Database, now: datetime, settings: Settings) -> list[DueJob]:
    """The jobs to be asked about now, the oldest first."""
    return [DueJob(*row) for row in db.execute(due_statement(db, now), due_values(now, settings))]


def due_statement(db: Database, now: datetime) -> str:
    """The way to choose that reads the fewest rows."""
    (number,) = db.execute(
        """SELECT count(*) FROM (SELECT 1 FROM stockx_batch_jobs INDEXED BY stockx_jobs_by_moment
           WHERE status IN ('PENDING', 'IN_PROGRESS') AND next_poll_at <= ? LIMIT ?)""",
        [to_text(now), FEW],
    ).fetchone()
    return DUE_OF_FEW if number < FEW else DUE_OF_MANY


def due_values(now: datetime, settings: Settings) -> dict[str, Any]:
    """The values that these take; ``newest`` is the last start of jobs that are due without a moment of their own."""
    return {
        "now": to_text(now),
        "newest": to_text(now - settings.poll_delay),
        "may_lack_listing": settings.dialect != "v2",
        "most": settings.max_jobs,
    }


def overdue_jobs(db: Database, now: datetime, settings: Settings, after: tuple[str, str]) -> list[tuple[str, str]]:
    """Start and id of open jobs out of time that are not asked about once more, the oldest first, in steps.

    Those are jobs that were asked about after that moment, that cannot be, and whose account does not work.

    Args:
        db: the database.
        now: the present.
        settings: how much time jobs have.
        after: the last one of the step before.
    """
    return db.execute(
        """SELECT started_at, id FROM stockx_batch_jobs AS job
           WHERE status IN ('PENDING', 'IN_PROGRESS') AND stockx_operation_id <> ''
           AND started_at < :before AND (started_at, id) > (:start, :id)
           AND (asked_at > strftime('%Y-%m-%dT%H:%M:%fZ', started_at, :allowed)
               OR (coalesce(stockx_listing_id, '') = '' AND NOT :may_lack_listing)
               OR NOT EXISTS (SELECT 1 FROM stockx_accounts AS account
                   WHERE account.user_id = job.user_id AND account.status = 'ACTIVE'))
           ORDER BY started_at, id LIMIT :most""",
        {
            "before": to_text(now - settings.give_up_after),
            "start": after[0],
            "id": after[1],
            "allowed": f"+{settings.give_up_after.total_seconds()} seconds",
            "may_lack_listing": settings.dialect != "v2",
            "most": OVERDUE_AT_ONCE,
        },
    ).fetchall()


def ended_accounts(db: Database) -> list[tuple[str, str]]:
    """User and status of accounts that do not work while jobs of theirs are open; not those that were revoked."""
    return db.execute(
        """SELECT user_id, status FROM stockx_accounts WHERE status IN ('BROKEN', 'EXPIRED') AND user_id IN (
               SELECT user_id FROM stockx_batch_jobs
               WHERE status IN ('PENDING', 'IN_PROGRESS') AND stockx_operation_id <> '')
           ORDER BY user_id"""
    ).fetchall()


def is_anything_open(db: Database) -> bool:
    """Whether there is a job that may be asked about, now or later."""
    return bool(
        db.execute(
            """SELECT 1 FROM stockx_batch_jobs AS job WHERE status IN ('PENDING', 'IN_PROGRESS')
               AND stockx_operation_id <> '' AND EXISTS (SELECT 1 FROM stockx_accounts AS account
                   WHERE account.user_id = job.user_id AND account.status = 'ACTIVE') LIMIT 1"""
        ).fetchone()
    )


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


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None
