"""What the rules have in common: who is told, which jobs are out of time, and the ends of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pollctl_stockx_ops.model import FailJob, Job, News, PostponeJob, Settings, State


def recipients(state: State, user_id: str, news: News, settings: Settings) -> list[str] | None:
    """The names of those who are told of something about a user; None where ``notify_on`` leaves it out."""
    return state.recipients.get(user_id, []) if news in settings.notify_on else None


def is_current(state: State, user_id: str, connection: int) -> bool:
    """Whether an account still works, and still by the login that was asked with."""
    account = state.accounts.get(user_id)
    return account is not None and account.status == "ACTIVE" and account.connection == connection


def is_overdue(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether a job has had all its time: at exactly ``give_up_after`` it has not."""
    return now - job.started_at > settings.give_up_after


def is_unasked(state: State, job: Job, settings: Settings) -> bool:
    """Whether a job out of time is not asked about once more: it was after that moment, or it cannot be."""
    if job.asked_at is not None and is_overdue(job, job.asked_at, settings):
        return True
    account = state.accounts.get(job.user_id)
    is_closed = account is None or account.status != "ACTIVE"
    return is_closed or (settings.dialect == "v2" and job.listing_id is None)


def time_out(state: State, job: Job, settings: Settings) -> FailJob:
    """No end after all the time allowed."""
    allowed = in_words(settings.give_up_after)
    return FailJob(
        job=job,
        error_code="timeout",
        error_message=f"Operation timed out after {allowed}",
        is_timeout=True,
        recipients=recipients(state, job.user_id, "failed", settings),
        reason=f"no end after {allowed}",
    )


def fail(
    state: State,
    job: Job,
    code: str,
    message: str,
    reason: str,
    settings: Settings,
    *,
    is_told: bool = True,
    unread: Sequence[str] = (),
) -> FailJob:
    """The upstream will not do it."""
    return FailJob(
        job=job,
        error_code=code,
        error_message=message,
        is_timeout=False,
        recipients=recipients(state, job.user_id, "failed", settings) if is_told else None,
        unread=[*unread],
        reason=reason,
    )


def postpone(
    job: Job, until: datetime, reason: str, *, is_rate_limited: bool = False, is_answered: bool = False
) -> PostponeJob:
    """The operation may still end; ask again later."""
    return PostponeJob(
        job_id=job.id,
        attempt=job.attempt,
        until=until,
        is_rate_limited=is_rate_limited,
        is_answered=is_answered,
        reason=reason,
    )


def in_words(duration: timedelta) -> str:
    """A duration in words: ``15 minutes``, ``90 seconds``, ``1 hour``."""
    seconds = duration.total_seconds()
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return _plural(seconds / size, unit)
    return _plural(seconds, "second")


def _plural(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
