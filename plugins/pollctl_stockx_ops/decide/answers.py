"""What an answer means for the job that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl_stockx_ops.decide.verdicts import (
    fail,
    in_words,
    is_current,
    is_overdue,
    postpone,
    recipients,
    time_out,
)
from pollctl_stockx_ops.model import (
    LISTING_STATUS,
    OPERATION_STATUS,
    TYPES_THAT_GO_LIVE,
    BreakAccount,
    CompleteJob,
    Decision,
    Job,
    ListingChange,
    News,
    PostponeJob,
    Response,
    Settings,
    State,
)

REFUSED = {400: "bad_request", 422: "unprocessable"}
"""Answers that say the upstream will never do it, and the code of the job's error where the body has none."""
FORBIDDEN_COUNT, FORBIDDEN_FOR = 5, timedelta(minutes=5)
"""How many answers 403 in a row, over how long, make a job fail: one alone says nothing about its operation."""
LONGEST = timedelta(hours=24)
"""From a job's start: as long it may be put off after its time is over, when nobody can say what became of it."""
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429


def judge_response(
    state: State, response: Response, now: datetime, settings: Settings, refused: set[str]
) -> Iterator[Decision]:
    """What an answer changes; nothing when its job was ended or retried while it was under way.

    One refused login is one failed job: *refused* gathers the users of this batch whose login it was.
    """
    job = state.jobs.get(response.job_id)
    if job is None or not job.is_open or job.attempt != response.attempt:
        return
    if response.status != _UNAUTHORIZED:
        yield judge(state, job, response, now, settings)
        return
    if job.user_id in refused or not is_current(state, job.user_id, response.connection):
        return
    refused.add(job.user_id)
    told = recipients(state, job.user_id, "auth", settings)
    reason = "401 with a fresh token too"
    # Who is told that the login is refused need not be told of its job as well.
    yield fail(
        state, job, "authentication_failed", "StockX authentication failed", reason, settings, is_told=told is None
    )
    yield BreakAccount(
        user_id=job.user_id, connection=response.connection, recipients=told, reason=reason, job_id=job.id
    )


def judge(state: State, job: Job, response: Response, now: datetime, settings: Settings) -> Decision:
    """What becomes of one open job, given what the upstream answered about it; the class comes from the status code."""
    if not response.error:
        return conclude(state, job, response, now, settings)
    if response.status == _NOT_FOUND:
        return fail(state, job, "operation_not_found", response.error_message or "Operation not found", "404", settings)
    if response.status in REFUSED:
        message = response.error_message or "Unknown error"
        code = response.error_code or REFUSED[response.status]
        return fail(state, job, code, message, f"{response.status}: refused for good", settings)
    return put_off(state, job, response, now, settings)


def put_off(state: State, job: Job, response: Response, now: datetime, settings: Settings) -> Decision:
    """What becomes of a job about which nothing was said: it is asked about later, but not for ever."""
    count, since = count_forbidden(job, response, now)
    if response.is_singled_out and count >= FORBIDDEN_COUNT and since is not None and now - since >= FORBIDDEN_FOR:
        reason = f"403 {count} times in a row, while others are answered"
        return fail(state, job, "forbidden", response.error_message or "Forbidden", reason, settings)
    if is_overdue(job, now, settings) and now - job.started_at > LONGEST:
        return time_out(state, job, settings)
    if response.status == _TOO_MANY:
        pause = max(settings.rate_limit_delay, timedelta(seconds=response.retry_after_s or 0))
        return postpone(job, now + pause, f"429: asked again in {in_words(pause)}", is_rate_limited=True)
    return PostponeJob(
        job_id=job.id,
        attempt=job.attempt,
        until=now + settings.poll_delay,
        is_rate_limited=False,
        forbidden_count=count,
        forbidden_since=since,
        reason=response.error,
    )


def count_forbidden(job: Job, response: Response, now: datetime) -> tuple[int, datetime | None]:
    """How many answers 403 in a row count against a job, and since when: those in whose round others were answered."""
    if response.status != _FORBIDDEN:
        return 0, None
    if not response.is_singled_out:
        return job.forbidden_count, job.forbidden_since
    return job.forbidden_count + 1, job.forbidden_since or now


def conclude(state: State, job: Job, response: Response, now: datetime, settings: Settings) -> Decision:
    """What the upstream's word for the state of an operation means for its job; nothing beside it changes that."""
    status = OPERATION_STATUS[settings.dialect].get(response.word, "open")
    reason = f"the upstream says {response.word!r}"
    if status == "open" and is_overdue(job, now, settings):
        return time_out(state, job, settings)
    if status == "open":
        return postpone(job, now + settings.poll_delay, reason, is_answered=True)
    if status == "failed":
        code, message = response.error_code or "operation_failed", response.error_message or "Unknown error"
        return fail(state, job, code, message, reason, settings, unread=response.unread)
    is_partial = status == "partial"
    news: News | None = "partial" if is_partial else "live" if job.job_type in TYPES_THAT_GO_LIVE else None
    return CompleteJob(
        job=job,
        at=now,
        is_partial=is_partial,
        listing_id=response.listing_id or job.listing_id,
        change=listing_change(job, response),
        recipients=recipients(state, job.user_id, news, settings) if news else None,
        history_status="PARTIAL" if is_partial else LISTING_STATUS.get(job.job_type, "COMPLETED"),
        error_code=response.error_code if is_partial else None,
        error_message=response.error_message if is_partial else None,
        unread=response.unread,
        reason=reason,
    )


def listing_change(job: Job, response: Response) -> ListingChange | None:
    """What a completed job makes of its listing: nothing when its type is unknown, or the listing is."""
    listing_id = response.listing_id or job.listing_id
    status = LISTING_STATUS.get(job.job_type)
    if listing_id is None or status is None:
        return None
    return ListingChange(
        listing_id=listing_id,
        status=status,
        ask_price=response.amount,
        currency_code=response.currency_code,
        expires_at=response.expires_at,
    )
