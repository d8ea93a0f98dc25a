"""What ``apply`` writes, one statement per kind of change, and the notifications that it queues."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pollctl import to_text
from pollctl_stockx_ops.model import (
    COUNTED,
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

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_D = TypeVar("_D")
_IS_OPEN = "status IN ('PENDING', 'IN_PROGRESS')"


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, within the transaction of the batch."""
    completed, failed = _of(CompleteJob, decisions), _of(FailJob, decisions)
    postponed = _of(PostponeJob, decisions)
    _keep_tokens(db, _of(KeepTokens, decisions), run.now)
    _complete(db, completed, run.now)
    _change_listings(db, completed, run.now)
    _fail(db, failed, run.now)
    _postpone(db, postponed, run.now)
    _close_accounts(db, decisions, run.now)
    _count(run, completed, failed, postponed)
    _tell_of_listings(run, completed)
    for decision in decisions:
        match decision:
            case BreakAccount():
                key = f"auth_failed:{decision.user_id}:{decision.connection}"
                tell(run, "auth_failed", key, {"user_id": decision.user_id}, decision.recipients)
            case HoldUpstream(hold=hold):
                run.hold(hold.host, hold.until)
            case SummariseDay():
                _summarise(db, decision, run)
            case KeepPace(pace=pace):
                db.execute("INSERT OR REPLACE INTO stockx_pace VALUES (1, ?, ?)", [pace.boot_id, pace.last_start])


def tell(run: Run, kind: str, key: str, told: dict[str, Any], recipients: Sequence[str]) -> None:
    """Queue one effect per recipient, or one that only records that there was nobody to tell."""
    for name in recipients:
        run.effect(kind, f"{key}:{name}", {**told, "recipient": name}, lane=f"recipient:{name}")
    if not recipients:
        run.effect(kind, key, {**told, "recipient": None})


def _complete(db: Database, completed: Sequence[CompleteJob], now: datetime) -> None:
    db.conn.executemany(
        f"""UPDATE stockx_batch_jobs SET status = ?, completed_at = ?, updated_at = ?, next_poll_at = NULL,
           stockx_listing_id = ?, error_code = NULL, error_message = NULL, poll_count = poll_count + 1
           WHERE id = ? AND attempt = ? AND {_IS_OPEN}""",  # noqa: S608 - own text
        [
            (_word(done), to_text(done.at), to_text(now), done.listing_id, done.job.id, done.job.attempt)
            for done in completed
        ],
    )
    _write_history(
        db,
        now,
        [(done.listing_id, done, _word(done), {"partial": True} if done.is_partial else {}) for done in completed],
    )


def _word(done: CompleteJob) -> str:
    return "PARTIAL" if done.is_partial else "COMPLETED"


def _change_listings(db: Database, completed: Sequence[CompleteJob], now: datetime) -> None:
    """What the answer does not say stays as it is."""
    db.conn.executemany(
        """INSERT INTO stockx_listings
           (stockx_listing_id, user_id, status, ask_price, currency_code, expires_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (stockx_listing_id) DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at,
               ask_price = coalesce(excluded.ask_price, ask_price),
               currency_code = coalesce(excluded.currency_code, currency_code),
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
        f"""UPDATE stockx_batch_jobs SET status = 'FAILED', error_code = ?, error_message = ?, updated_at = ?,
           next_poll_at = NULL, poll_count = poll_count + ? WHERE id = ? AND attempt = ? AND {_IS_OPEN}""",  # noqa: S608
        [
            (lost.error_code, lost.error_message, to_text(now), not lost.is_timeout, lost.job.id, lost.job.attempt)
            for lost in failed
        ],
    )
    _write_history(
        db,
        now,
        [(lost.job.listing_id, lost, "TIMEOUT" if lost.is_timeout else "FAILED", _why(lost)) for lost in failed],
    )


def _why(lost: FailJob) -> dict[str, Any]:
    if lost.is_timeout:
        return {"reason": "timeout"}
    return {"error": {"code": lost.error_code, "message": lost.error_message}}


def _write_history(
    db: Database,
    now: datetime,
    entries: Sequence[tuple[str | None, CompleteJob | FailJob, str, dict[str, Any]]],
) -> None:
    db.conn.executemany(
        """INSERT INTO stockx_listing_history
           (stockx_listing_id, job_id, attempt, action, status, changed_at, metadata)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        [
            (
                listing_id,
                end.job.id,
                end.job.attempt,
                end.job.job_type,
                status,
                to_text(now),
                json.dumps({"operation_id": end.job.operation_id, "job_id": end.job.id, **more}),
            )
            for listing_id, end, status, more in entries
        ],
    )


def _postpone(db: Database, postponed: Sequence[PostponeJob], now: datetime) -> None:
    db.conn.executemany(
        f"""UPDATE stockx_batch_jobs SET status = 'IN_PROGRESS', next_poll_at = ?, updated_at = ?,
           poll_count = poll_count + 1 WHERE id = ? AND attempt = ? AND {_IS_OPEN}""",  # noqa: S608 - own text
        [(to_text(later.until), to_text(now), later.job_id, later.attempt) for later in postponed],
    )


def _keep_tokens(db: Database, kept: Sequence[KeepTokens], now: datetime) -> None:
    rows = [
        (
            keep.tokens.access_token.reveal(),
            keep.tokens.refresh_token.reveal() if keep.tokens.refresh_token else None,
            to_text(keep.tokens.expires_at) if keep.tokens.expires_at else None,
            to_text(now),
            keep.tokens.user_id,
            keep.tokens.connection,
        )
        for keep in kept
    ]
    db.conn.executemany(
        """UPDATE stockx_accounts SET access_token = ?, refresh_token = coalesce(?, refresh_token), expires_at = ?,
           updated_at = ? WHERE user_id = ? AND connection = ? AND status = 'ACTIVE'""",
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
    numbers = Counter(dict.fromkeys(COUNTED, 0))
    numbers.update("partial" if done.is_partial else "completed" for done in completed)
    numbers.update("timed_out" if lost.is_timeout else "failed" for lost in failed)
    numbers.update("rate_limited" if later.is_rate_limited else "in_progress" for later in postponed)
    run.count(processed=numbers.total(), **numbers)


def _tell_of_listings(run: Run, completed: Sequence[CompleteJob]) -> None:
    for done in completed:
        if done.recipients is None:
            continue
        told = {
            "user_id": done.job.user_id,
            "job_id": done.job.id,
            "listing_id": done.listing_id,
            "amount": done.change.ask_price if done.change else None,
            "currency_code": done.change.currency_code if done.change else None,
        }
        tell(run, "listing_live", f"listing_live:{done.job.id}:{done.job.attempt}", told, done.recipients)


def _summarise(db: Database, over: SummariseDay, run: Run) -> None:
    db.execute("INSERT OR IGNORE INTO stockx_days VALUES (?, ?)", [over.day, to_text(run.now)])
    for user, counts in over.summaries.items():
        told = {"user_id": user, "day": over.day, **msgspec.to_builtins(counts)}
        tell(run, "daily_summary", f"daily_summary:{user}:{over.day}", told, over.recipients[user])


def _of(kind: type[_D], decisions: Iterable[Any]) -> list[_D]:
    return [decision for decision in decisions if isinstance(decision, kind)]
