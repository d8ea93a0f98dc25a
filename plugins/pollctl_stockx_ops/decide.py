"""The rules: what an answer means for its job, its listing and its account. Pure; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl_stockx_ops.model import (
    LISTING_STATUS,
    LIVE,
    SAID,
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
    Reply,
    Settings,
    State,
    SummariseDay,
    in_words,
)

REFUSED = {400: "bad_request", 403: "forbidden", 422: "unprocessable"}
"""Answers that say the upstream will never do it, and the code of the job's error where the body has none."""
_UNAUTHORIZED, _NOT_FOUND, _TOO_MANY = 401, 404, 429


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one batch changes: logins, then jobs, then what the next pass must know."""
    decisions = [*judge_logins(state, batch), *judge_overdue(state, batch, now, settings)]
    refused: set[str] = set()
    for reply in batch.replies:
        decisions.extend(judge_reply(state, reply, now, settings, refused))
    decisions.extend(
        HoldUpstream(hold=hold, reason=f"{hold.host} wants no request before {hold.until:%Y-%m-%d %H:%M:%S} UTC")
        for hold in batch.holds
    )
    if batch.day is not None:
        recipients = {user: state.recipients.get(user, []) for user in state.summaries}
        told = f"{batch.day.name} is over, {len(state.summaries)} users had jobs"
        decisions.append(
            SummariseDay(day=batch.day.name, summaries=state.summaries, recipients=recipients, reason=told)
        )
    if batch.pace is not None:
        known = "asking begins" if batch.pace.last_start is None else "the latest request of this pass"
        decisions.append(KeepPace(pace=batch.pace, reason=known))
    return decisions


def judge_logins(state: State, batch: Batch) -> Iterator[Decision]:
    """Fresh tokens are kept and dead logins marked, unless the user connected anew or was revoked meanwhile."""
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


def judge_reply(state: State, reply: Reply, now: datetime, settings: Settings, refused: set[str]) -> Iterator[Decision]:
    """What an answer changes; nothing when its job was ended or retried while it was under way.

    One refused login is one failed job: *refused* gathers the users of this batch whom it happened to.
    """
    job = state.jobs.get(reply.job_id)
    if job is None or not job.is_open or job.attempt != reply.attempt:
        return
    if reply.status != _UNAUTHORIZED or is_overdue(job, now, settings):
        yield judge(state, job, reply, now, settings)
        return
    if job.user_id in refused or not is_current(state, job.user_id, reply.connection):
        return
    refused.add(job.user_id)
    yield judge(state, job, reply, now, settings)
    yield BreakAccount(
        user_id=job.user_id,
        connection=reply.connection,
        recipients=state.recipients.get(job.user_id, []),
        reason="401 with a fresh token too",
    )


def judge(state: State, job: Job, reply: Reply, now: datetime, settings: Settings) -> Decision:
    """What becomes of one open job, given what the upstream said about it; the class comes from the status code."""
    if is_overdue(job, now, settings):
        return time_out(job, settings)
    if not reply.trouble:
        return conclude(state, job, reply, now, settings)
    return judge_trouble(job, reply, now, settings)


def judge_trouble(job: Job, reply: Reply, now: datetime, settings: Settings) -> Decision:
    """What becomes of a job without a usable answer: refused for good, or asked about later."""
    if reply.status == _UNAUTHORIZED:
        return fail(job, "authentication_failed", "StockX authentication failed", "401 with a fresh token too")
    if reply.status == _TOO_MANY:
        pause = max(settings.rate_limit_delay, timedelta(seconds=reply.retry_after_s or 0))
        return postpone(job, now + pause, f"429: asked again in {in_words(pause)}", is_rate_limited=True)
    if reply.status == _NOT_FOUND:
        return fail(job, "operation_not_found", reply.error_message or "Operation not found", "404")
    if reply.status in REFUSED:
        code = reply.error_code or REFUSED[reply.status]
        return fail(job, code, reply.error_message or "Unknown error", f"{reply.status}: refused for good")
    return postpone(job, now + settings.poll_delay, reply.trouble)


def conclude(state: State, job: Job, reply: Reply, now: datetime, settings: Settings) -> Decision:
    """What the upstream's word for the state of an operation means for its job."""
    said = SAID[settings.dialect].get(reply.word, "open")
    if said == "open":
        return postpone(job, now + settings.poll_delay, f"the upstream says {reply.word!r}")
    if said == "failed":
        code, message = reply.error_code or "operation_failed", reply.error_message or "Unknown error"
        return fail(job, code, message, f"the upstream says {reply.word!r}")
    is_live = said == "completed" and job.job_type in LIVE
    return CompleteJob(
        job=job,
        at=now,
        is_partial=said == "partial",
        listing_id=reply.listing_id or job.listing_id,
        change=listing_change(job, reply),
        recipients=state.recipients.get(job.user_id, []) if is_live else None,
        reason=f"the upstream says {reply.word!r}",
    )


def listing_change(job: Job, reply: Reply) -> ListingChange | None:
    """What a completed job makes of its listing: nothing when its type is unknown, or the listing is."""
    listing_id = reply.listing_id or job.listing_id
    status = LISTING_STATUS.get(job.job_type)
    if listing_id is None or status is None:
        return None
    return ListingChange(
        listing_id=listing_id,
        status=status,
        ask_price=reply.amount,
        currency_code=reply.currency_code,
        expires_at=reply.expires_at,
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
    """Nothing is known yet."""
    return PostponeJob(job_id=job.id, attempt=job.attempt, until=until, is_rate_limited=is_rate_limited, reason=reason)
