"""The rules: what an answer means for its job, its listing and its account. Pure; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pollctl import counted
from pollctl_stockx_ops.decide.answers import judge_response
from pollctl_stockx_ops.decide.verdicts import in_words as in_words
from pollctl_stockx_ops.decide.verdicts import is_current, is_overdue, is_unasked, recipients, time_out
from pollctl_stockx_ops.model import (
    Batch,
    Day,
    Decision,
    ExpireAccount,
    HoldUpstream,
    KeepPace,
    KeepTokens,
    Settings,
    State,
    SummariseDay,
)


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one batch changes: logins, then jobs, then what the next pass must know."""
    decisions = [*judge_logins(state, batch, settings), *judge_overdue(state, batch, now, settings)]
    refused: set[str] = set()
    for response in batch.responses:
        decisions.extend(judge_response(state, response, now, settings, refused))
    decisions.extend(
        HoldUpstream(hold=hold, reason=f"{hold.host} wants no request before {hold.until:%Y-%m-%d %H:%M:%S} UTC")
        for hold in batch.holds
    )
    if batch.day is not None:
        decisions.append(summarise(state, batch.day, settings))
    if batch.pace is not None:
        reason = "asking begins" if batch.pace.last_start is None else "the latest request of this pass"
        decisions.append(KeepPace(pace=batch.pace, reason=reason))
    return decisions


def judge_logins(state: State, batch: Batch, settings: Settings) -> Iterator[Decision]:
    """Fresh tokens are kept and expired logins marked, unless the user connected again or was revoked meanwhile."""
    for tokens in batch.tokens:
        if is_current(state, tokens.user_id, tokens.connection):
            yield KeepTokens(tokens=tokens, reason="the access token was refreshed")
    for expired in batch.expired:
        if is_current(state, expired.user_id, expired.connection):
            yield ExpireAccount(
                user_id=expired.user_id,
                connection=expired.connection,
                recipients=recipients(state, expired.user_id, "auth", settings),
                reason="the refresh token is no longer taken (invalid_grant)",
            )


def judge_overdue(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Jobs that ran out of time and are not asked about once more."""
    for job_id in batch.overdue:
        job = state.jobs.get(job_id)
        if job is not None and job.is_open and is_overdue(job, now, settings) and is_unasked(state, job, settings):
            yield time_out(state, job, settings)


def summarise(state: State, day: Day, settings: Settings) -> SummariseDay:
    """Yesterday is over; told once, to each user who had jobs."""
    return SummariseDay(
        day=day.name,
        summaries=state.summaries,
        recipients={
            user: names for user in state.summaries if (names := recipients(state, user, "daily", settings)) is not None
        },
        reason=f"{day.name} is over, {counted(len(state.summaries), 'user')} had jobs",
    )
