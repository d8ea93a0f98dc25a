"""Jobs kept elsewhere: which are claimed, changed and ended here after a read of them (S2, S7-S9). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from pollctl_latency.model import (
    ClaimJobs,
    CloseMirrored,
    Decision,
    EditJob,
    JobStatus,
    Mirrored,
    NoteMirror,
    RemoteJob,
    RemoteRead,
    State,
)

CLAIMED_AT_ONCE = 100
"""So that their ids fit into one address."""
SHORTEST_SILENCE = timedelta(minutes=10)
CADENCES_OF_SILENCE = 10
"""How many cadences a poller must have been silent before its job is taken over."""


def judge_read(state: State, read: RemoteRead, now: datetime, poller: str) -> Iterator[Decision]:
    """What a read changes; one that failed changes no job."""
    is_news = bool(read.error) and read.needs_somebody and read.error != state.mirror_error
    yield NoteMirror(
        others=read.others, error=read.error, is_news=is_news, reason=read.error or "jobs kept elsewhere read"
    )
    for job in read.jobs:
        known = state.mirrored.get(job.id)
        if known and known.status == "running":
            yield from judge_known(known, job, poller)
    for job in read.ended:
        yield from judge_ended(state.mirrored.get(job.id), job)
    for remote_id in read.gone:
        yield from close(state.mirrored.get(remote_id), "cancelled", "it is not there any more", is_gone=True)
    yield from claims([job for job in read.jobs if may_claim(state, job, now, poller)], now, poller)


def judge_known(known: Mirrored, job: RemoteJob, poller: str) -> Iterator[Decision]:
    """A job that is sampled here and still runs there: ours no longer, another, edited, or as it was."""
    if job.poller not in (None, poller):
        yield from close(known, "cancelled", f"{job.poller} has taken it over")
    elif (job.target, job.probe) != (known.target, known.probe):
        yield from close(known, "cancelled", f"its target there is {job.target} by {job.probe} now")
    elif (job.cadence_seconds, job.duration_seconds) != (known.cadence_seconds, known.duration_seconds):
        yield EditJob(
            job_id=known.job_id,
            cadence_seconds=job.cadence_seconds,
            duration_seconds=job.duration_seconds,
            reason="its cadence or duration was changed there",
        )


def judge_ended(known: Mirrored | None, job: RemoteJob) -> Iterator[Decision]:
    """A job that is not in the list any more, looked up by its id: it may run there all the same, moved between two pages."""
    if job.status == "running" and job.monitoring_mode == "real_polling":
        return
    status: JobStatus = "cancelled" if job.status == "running" else job.status
    yield from close(known, status, f"{status} there")


def close(known: Mirrored | None, status: JobStatus, reason: str, *, is_gone: bool = False) -> Iterator[Decision]:
    """End a job here, if it still runs."""
    if known and known.status == "running":
        yield CloseMirrored(job_id=known.job_id, status=status, is_gone=is_gone, reason=reason)


def may_claim(state: State, job: RemoteJob, now: datetime, poller: str) -> bool:
    """Whether a job is to be claimed: nobody else is at it, and it is unknown here, or what was sampled of it here is all over.

    So is a job that has another target now, and one that ended and was set back to running.
    """
    if job.id in state.claiming:
        return False
    if job.poller not in (None, poller) and not is_abandoned(job, now):
        return False
    known = state.mirrored.get(job.id)
    return known is None or (known.status != "running" and known.is_drained)


def is_abandoned(job: RemoteJob, now: datetime) -> bool:
    """Whether whoever claimed a job has been silent for so long that another may take it over."""
    silence = max(SHORTEST_SILENCE, CADENCES_OF_SILENCE * timedelta(seconds=job.cadence_seconds))
    latest = max((moment for moment in (job.last_ping_at, job.claimed_at) if moment), default=job.started_at)
    return now - latest > silence


def claims(jobs: Iterable[RemoteJob], now: datetime, poller: str) -> Iterator[Decision]:
    """Claims of jobs, in groups; those of a silent poller say how long it must have been silent."""

    def holder(job: RemoteJob) -> tuple[str, int]:
        return ("", 0) if job.poller in (None, poller) else (job.poller or "", job.cadence_seconds)

    for (name, cadence), group in groupby(sorted(jobs, key=holder), key=holder):
        ids = sorted(job.id for job in group)
        silence = max(SHORTEST_SILENCE, CADENCES_OF_SILENCE * timedelta(seconds=cadence))
        for start in range(0, len(ids), CLAIMED_AT_ONCE):
            yield ClaimJobs(
                remote_ids=ids[start : start + CLAIMED_AT_ONCE],
                reason=f"{name} has been silent for more than {silence}" if name else "nobody samples them",
                from_poller=name or None,
                silent_since=now - silence if name else None,
            )
