"""Writing what was decided, one statement per kind of change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pollctl import to_text
from pollctl_stockx_ops.model import (
    COUNTERS,
    BreakAccount,
    CompleteJob,
    Decision,
    ExpireAccount,
    FailJob,
    HoldUpstream,
    KeepPace,
    KeepTokens,
    PostponeJob,
    SummariseDay,
)
from pollctl_stockx_ops.store.days import mark_summarised
from pollctl_stockx_ops.store.effects import tell_news
from pollctl_stockx_ops.store.history import write_history
from pollctl_stockx_ops.store.pace import keep_pace

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_D = TypeVar("_D")
_IS_OPEN = "status IN ('PENDING', 'IN_PROGRESS')"


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided and queue the notifications, within the transaction of the batch."""
    completed, failed = _of(CompleteJob, decisions), _of(FailJob, decisions)
    postponed = _of(PostponeJob, decisions)
    _keep_tokens(db, _of(KeepTokens, decisions), run.now)
    _complete(db, completed, run.now)
    _change_listings(db, completed, run.now)
    _fail(db, failed, run.now)
    write_history(db, completed, failed, run.now)
    _postpone(db, postponed, run.now)
    _close_accounts(db, decisions, run.now)
    _count(run, completed, failed, postponed)
    for decision in decisions:
        match decision:
            case HoldUpstream(hold=hold):
                run.hold(hold.host, hold.until)
            case SummariseDay(day=day):
                mark_summarised(db, day, run.now)
            case KeepPace(pace=pace):
                keep_pace(db, pace)
    tell_news(db, decisions, run)


def _complete(db: Database, completed: Sequence[CompleteJob], now: datetime) -> None:
    db.conn.executemany(
        f"""UPDATE stockx_batch_jobs SET status = ?, completed_at = ?, updated_at = ?, next_poll_at = NULL,
           stockx_listing_id = ?, error_code = ?, error_message = ?, asked_at = ?, poll_count = poll_count + 1
           WHERE id = ? AND attempt = ? AND {_IS_OPEN}""",  # noqa: S608 - own text
        [
            (
                _status(done),
                to_text(done.at),
                to_text(now),
                done.listing_id,
                done.error_code,
                done.error_message,
                to_text(now),
                done.job.id,
                done.job.attempt,
            )
            for done in completed
        ],
    )


def _status(done: CompleteJob) -> str:
    return "PARTIAL" if done.is_partial else "COMPLETED"


def _change_listings(db: Database, completed: Sequence[CompleteJob], now: datetime) -> None:
    """Change listings; what the answer left out stays as it is, and a currency alone does not make another of a price."""
    db.conn.executemany(
        """INSERT INTO stockx_listings
           (stockx_listing_id, user_id, status, ask_price, currency_code, expires_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (stockx_listing_id) DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at,
               ask_price = coalesce(excluded.ask_price, ask_price),
               currency_code = iif(excluded.ask_price IS NULL AND ask_price IS NOT NULL,
                   coalesce(currency_code, excluded.currency_code), coalesce(excluded.currency_code, currency_code)),
               expires_at = coalesce(excluded.expires_at, expires_at)""",
        [
            (
                done.change.listing_id,
                done.job.user_id,
                done.change.status,
                done.change.ask_price,
                done.change.currency_code,
                to_text(done.change.expires_at) if done.change.expires_at else None,
                to_text(now),
            )
            for done in completed
            if done.change
        ],
    )


def _fail(db: Database, failed: Sequence[FailJob], now: datetime) -> None:
    db.conn.executemany(
        f"""UPDATE stockx_batch_jobs SET status = 'FAILED', error_code = ?1, error_message = ?2, updated_at = ?3,
           completed_at = ?3, next_poll_at = NULL, poll_count = poll_count + ?4 WHERE id = ?5 AND attempt = ?6 AND {_IS_OPEN}""",  # noqa: S608
        [
            (
                failure.error_code,
                failure.error_message,
                to_text(now),
                not failure.is_timeout,
                failure.job.id,
                failure.job.attempt,
            )
            for failure in failed
        ],
    )


def _postpone(db: Database, postponed: Sequence[PostponeJob], now: datetime) -> None:
    db.conn.executemany(
        f"""UPDATE stockx_batch_jobs SET status = 'IN_PROGRESS', next_poll_at = ?, updated_at = ?,
           asked_at = coalesce(?, asked_at), forbidden_count = ?, forbidden_since = ?,
           rate_limited_count = rate_limited_count + ?, poll_count = poll_count + 1
           WHERE id = ? AND attempt = ? AND {_IS_OPEN}""",  # noqa: S608 - own text
        [
            (
                to_text(later.until),
                to_text(now),
                to_text(now) if later.is_answered else None,
                later.forbidden_count,
                to_text(later.forbidden_since) if later.forbidden_since else None,
                later.is_rate_limited,
                later.job_id,
                later.attempt,
            )
            for later in postponed
        ],
    )


def _keep_tokens(db: Database, kept: Sequence[KeepTokens], now: datetime) -> None:
    rows = [
        (
            keep.tokens.access_token.reveal() if keep.tokens.access_token else None,
            keep.tokens.refresh_token.reveal() if keep.tokens.refresh_token else None,
            to_text(keep.tokens.expires_at) if keep.tokens.expires_at else None,
            to_text(now),
            keep.tokens.user_id,
            keep.tokens.connection,
        )
        for keep in kept
    ]
    db.conn.executemany(
        """UPDATE stockx_accounts SET access_token = coalesce(?1, access_token),
           refresh_token = coalesce(?2, refresh_token), expires_at = iif(?1 IS NULL, expires_at, ?3), updated_at = ?4
           WHERE user_id = ?5 AND connection = ?6 AND status = 'ACTIVE'""",
        rows,
    )


def _close_accounts(db: Database, decisions: Sequence[Decision], now: datetime) -> None:
    closed = [("BROKEN", account.user_id, account.connection) for account in _of(BreakAccount, decisions)]
    closed += [("EXPIRED", account.user_id, account.connection) for account in _of(ExpireAccount, decisions)]
    db.conn.executemany(
        """UPDATE stockx_accounts SET status = ?, updated_at = ?
           WHERE user_id = ? AND connection = ? AND status = 'ACTIVE'""",
        [(status, to_text(now), user, connection) for status, user, connection in closed],
    )


def _count(
    run: Run, completed: Sequence[CompleteJob], failed: Sequence[FailJob], postponed: Sequence[PostponeJob]
) -> None:
    """All of the numbers, also those that are 0, so that a reader finds each of them in every pass."""
    numbers = Counter(dict.fromkeys(COUNTERS, 0))
    numbers.update("partial" if done.is_partial else "completed" for done in completed)
    numbers.update("timed_out" if failure.is_timeout else "failed" for failure in failed)
    numbers.update("rate_limited" if postponement.is_rate_limited else "in_progress" for postponement in postponed)
    run.count(processed=numbers.total(), **numbers)
    ends: list[CompleteJob | FailJob] = [*completed, *failed]
    if warnings := sum(len(end.unread) for end in ends):
        run.count(warnings=warnings)


def _of(kind: type[_D], decisions: Iterable[Any]) -> list[_D]:
    return [decision for decision in decisions if isinstance(decision, kind)]
