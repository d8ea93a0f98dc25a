"""All decisions of one batch: token and holds, runs, and what is cleaned up upstream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pollctl_shell_query.decide.cleanup import clean_up
from pollctl_shell_query.decide.gates import is_unpolled
from pollctl_shell_query.decide.polls import close, fail, judge, timed_out
from pollctl_shell_query.model import (
    Batch,
    Decision,
    HoldUpstream,
    Job,
    KeepToken,
    ResumePolling,
    Settings,
    StartRun,
    State,
)


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one batch changes: token and holds, then runs, then what is cleaned up."""
    return [
        *remember(batch),
        *judge_without_response(state, batch, now, settings),
        *judge_responses(state, batch, now, settings),
        *start_waiting(state, batch, settings),
        *clean_up(state, batch, now, settings),
    ]


def remember(batch: Batch) -> Iterator[Decision]:
    """What later passes must know of the upstream."""
    if batch.token is not None:
        yield KeepToken(token=batch.token, reason=f"a new token, good until {batch.token.renew_at:%H:%M}")
    for hold in batch.holds:
        yield HoldUpstream(
            hold=hold, reason=f"{hold.upstream} wants no request before {hold.until:%Y-%m-%d %H:%M:%S} UTC"
        )


def judge_without_response(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Runs that can be judged without a request: cancelled, never started, exhausted."""
    for job in _jobs(state, batch.canceled):
        if job.status == "canceled" and job.is_polled:
            yield close(job)
    for job in _jobs(state, batch.failed_starts):
        if job.status == "queued" and job.id in state.failed_starts:
            yield fail(job, f"Could not be started: {state.failed_starts[job.id]}", "its start was given up")
    yield from resume_unpolled(state, batch, now, settings)
    for job in _jobs(state, batch.exhausted):
        if job.is_polled and (ended := timed_out(job, now, settings)):
            yield ended


def resume_unpolled(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[ResumePolling]:
    """The reconciler: runs that were started and have no open poll are polled again, with the T0 they had."""
    for job in _jobs(state, batch.unpolled):
        if is_unpolled(job, now, settings):
            started_at = job.started_at or now
            yield ResumePolling(run_id=job.id, started_at=started_at, reason="it was started, and has no open poll")


def judge_responses(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Runs that were asked about, unless the poll is over meanwhile."""
    for response in batch.responses:
        job = state.jobs.get(response.run_id)
        if job is not None and job.is_polled and job.poll_count == response.poll_count:
            yield judge(job, response, now, settings)


def start_waiting(state: State, batch: Batch, settings: Settings) -> Iterator[StartRun]:
    """As many of the waiting runs as there is room for, the oldest first."""
    room = settings.max_active - state.active
    for job in _jobs(state, batch.waiting):
        if job.status == "queued" and room > 0:
            room -= 1
            yield StartRun(run_id=job.id, reason=f"one of at most {settings.max_active} at a time")


def _jobs(state: State, ids: list[str]) -> Iterator[Job]:
    return (state.jobs[run_id] for run_id in ids if run_id in state.jobs)
