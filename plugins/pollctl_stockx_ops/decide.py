"""The rules: what an answer means for its job, its listing and its account. Pure; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl import counted
from pollctl_stockx_ops.model import (
    LISTING_STATUS,
    OPERATION_STATUS,
    TYPES_THAT_GO_LIVE,
    Batch,
    BreakAccount,
    CompleteJob,
    Decision,
    ExpireAccount,
    FailJob,
    HoldUpstream,
    Job,
    KeepPace,
    KeepTokens,
    ListingChange,
    PostponeJob,
    Response,
    Settings,
    State,
    SummariseDay,
)

REFUSED = {400: "bad_request", 403: "forbidden", 422: "unprocessable"}
"""Answers that say the upstream will never do it, and the code of the job's error where the body has none."""
_UNAUTHORIZED, _NOT_FOUND, _TOO_MANY = 401, 404, 429


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one batch changes: logins, then jobs, then what the next pass must know."""
    decisions = [*judge_logins(state, batch), *judge_overdue(state, batch, now, settings)]
    refused: set[str] = set()
    for response in batch.responses:
        decisions.extend(judge_response(state, response, now, settings, refused))
    decisions.extend(
        HoldUpstream(hold=hold, reason=f"{hold.host} wants no request before {hold.until:%Y-%m-%d %H:%M:%S} UTC")
        for hold in batch.holds
    )
    if batch.day is not None:
        recipients = {user: state.recipients.get(user, []) for user in state.summaries}
        reason = f"{batch.day.name} is over, {counted(len(state.summaries), 'user')} had jobs"
        decisions.append(
            SummariseDay(day=batch.day.name, summaries=state.summaries, recipients=recipients, reason=reason)
        )
    if batch.pace is not None:
        reason = "asking begins" if batch.pace.last_start is None else "the latest request of this pass"
        decisions.append(KeepPace(pace=batch.pace, reason=reason))
    return decisions


def judge_logins(state: State, batch: Batch) -> Iterator[Decision]:
    """Fresh tokens are kept and expired logins marked, unless the user connected again or was revoked meanwhile."""
    for tokens in batch.tokens:
        if is_current(state, tokens.user_id, tokens.connection):
            yield KeepTokens(tokens=tokens, reason="the access token was refreshed")
    for expired in batch.expired:
        if is_current(state, expired.user_id, expired.connection):
            reason = "the refresh token is no longer taken (invalid_grant)"
            yield ExpireAccount(user_id=expired.user_id, connection=expired.connection, reason=reason)


def judge_overdue(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Jobs that ran out of time, whatever their account."""
    for job_id in batch.overdue:
        job = state.jobs.get(job_id)
        if job is not None and job.is_open and is_overdue(job, now, settings):
            yield time_out(job, settings)


def judge_response(
    state: State, response: Response, now: datetime, settings: Settings, refused: set[str]
) -> Iterator[Decision]:
    """What an answer changes; nothing when its job was ended or retried while it was under way.

    One refused login is one failed job: *refused* gathers the users of this batch whose login it was.
    """
    job = state.jobs.get(response.job_id)
    if job is None or not job.is_open or job.attempt != response.attempt:
        return
    if response.status != _UNAUTHORIZED or is_overdue(job, now, settings):
        yield judge(state, job, response, now, settings)
        return
    if job.user_id in refused or not is_current(state, job.user_id, response.connection):
        return
    refused.add(job.user_id)
    yield judge(state, job, response, now, settings)
    yield BreakAccount(
        user_id=job.user_id,
        connection=response.connection,
        recipients=state.recipients.get(job.user_id, []),
        reason="401 with a fresh token too",
    )


def judge(state: State, job: Job, response: Response, now: datetime, settings: Settings) -> Decision:
    """What becomes of one open job, given what the upstream answered about it; the class comes from the status code."""
    if is_overdue(job, now, settings):
        return time_out(job, settings)
    if not response.error:
        return conclude(state, job, response, now, settings)
    return judge_error(job, response, now, settings)


def judge_error(job: Job, response: Response, now: datetime, settings: Settings) -> Decision:
    """What becomes of a job without a usable answer: refused for good, or asked about later."""
    if response.status == _UNAUTHORIZED:
        return fail(job, "authentication_failed", "StockX authentication failed", "401 with a fresh token too")
    if response.status == _TOO_MANY:
        pause = max(settings.rate_limit_delay, timedelta(seconds=response.retry_after_s or 0))
        return postpone(job, now + pause, f"429: asked again in {in_words(pause)}", is_rate_limited=True)
    if response.status == _NOT_FOUND:
        return fail(job, "operation_not_found", response.error_message or "Operation not found", "404")
    if response.status in REFUSED:
        code = response.error_code or REFUSED[response.status]
        return fail(job, code, response.error_message or "Unknown error", f"{response.status}: refused for good")
    return postpone(job, now + settings.poll_delay, response.error)


def conclude(state: State, job: Job, response: Response, now: datetime, settings: Settings) -> Decision:
    """What the upstream's word for the state of an operation means for its job."""
    status = OPERATION_STATUS[settings.dialect].get(response.word, "open")
    if status == "open":
        return postpone(job, now + settings.poll_delay, f"the upstream says {response.word!r}")
    if status == "failed":
        code, message = response.error_code or "operation_failed", response.error_message or "Unknown error"
        return fail(job, code, message, f"the upstream says {response.word!r}")
    is_live = status == "completed" and job.job_type in TYPES_THAT_GO_LIVE
    return CompleteJob(
        job=job,
        at=now,
        is_partial=status == "partial",
        listing_id=response.listing_id or job.listing_id,
        change=listing_change(job, response),
        recipients=state.recipients.get(job.user_id, []) if is_live else None,
        reason=f"the upstream says {response.word!r}",
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


def is_overdue(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether a job has had all its time: at exactly ``give_up_after`` it is still asked about."""
    return now - job.started_at > settings.give_up_after


def is_current(state: State, user_id: str, connection: int) -> bool:
    """Whether an account still works, and still by the login that was asked with."""
    account = state.accounts.get(user_id)
    return account is not None and account.status == "ACTIVE" and account.connection == connection


def time_out(job: Job, settings: Settings) -> FailJob:
    """No end after all the time allowed."""
    allowed = in_words(settings.give_up_after)
    return FailJob(
        job=job,
        error_code="timeout",
        error_message=f"Operation timed out after {allowed}",
        is_timeout=True,
        reason=f"no end after {allowed}",
    )


def fail(job: Job, code: str, message: str, reason: str) -> FailJob:
    """The upstream will not do it."""
    return FailJob(job=job, error_code=code, error_message=message, is_timeout=False, reason=reason)


def postpone(job: Job, until: datetime, reason: str, *, is_rate_limited: bool = False) -> PostponeJob:
    """The operation may still end; ask again later."""
    return PostponeJob(job_id=job.id, attempt=job.attempt, until=until, is_rate_limited=is_rate_limited, reason=reason)


def in_words(duration: timedelta) -> str:
    """A duration in words: ``15 minutes``, ``90 seconds``, ``1 hour``."""
    seconds = duration.total_seconds()
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return _plural(seconds / size, unit)
    return _plural(seconds, "second")


def _plural(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
