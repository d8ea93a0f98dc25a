"""Conditions of the rules. fetch asks the same ones before it sends the next request of a poll."""

from __future__ import annotations

from datetime import datetime

from pollctl_shell_query.model import Job, PollResponse, Settings

_CANCELED = ("canceled", "cancelled")


def has_error(response: PollResponse) -> bool:
    """Whether the status says that there was an error, whatever else it says."""
    return "error" in response.status.casefold() or bool(response.error_message.strip())


def is_canceled(response: PollResponse) -> bool:
    """Whether the query was cancelled upstream."""
    return response.status.strip().casefold() in _CANCELED


def is_complete(response: PollResponse) -> bool:
    """Whether the status says that the query has ended."""
    return response.status.strip().casefold() == "complete"


def is_exhausted(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether a run has used up its time or its polls: at exactly ``max_duration``, and after ``max_polls`` polls."""
    return job.age(now) >= settings.max_duration or job.poll_count >= settings.max_polls


def is_unpolled(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether a run was started long enough ago, and has no open poll."""
    is_alive = job.status in ("queued", "running") and job.task_id is not None
    return is_alive and not job.is_polled and job.age(now) > settings.reconcile_after


def is_probe_due(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether to look for a first row: only in a data extension of the run's own, where no other row can be."""
    if not (settings.row_probe and job.is_own_target and job.age(now) >= settings.row_probe_after):
        return False
    return job.probed_at is None or now - job.probed_at >= settings.row_probe_every


def is_gate_open(job: Job, response: PollResponse, now: datetime, settings: Settings) -> bool:
    """Whether REST is asked: the status hangs, or something hints that it is out of date."""
    return is_row_seen(response) or is_suspicious(job, response, now, settings)


def is_row_seen(response: PollResponse) -> bool:
    """Whether a first row is there: the query may be done, or more rows may be on their way."""
    return response.probe is not None and bool(response.probe.count)


def is_suspicious(job: Job, response: PollResponse, now: datetime, settings: Settings) -> bool:
    """Whether the status itself is not to be believed: it has hung for long, or bears the date of an end."""
    if job.age(now) >= settings.stuck_after:
        return True
    return response.has_completed_date and job.age(now) >= settings.completed_date_after


def is_confirmed(job: Job, response: PollResponse, now: datetime, settings: Settings) -> bool:
    """Whether REST has now answered often enough, and far enough apart, that the query does not run."""
    return response.is_running is False and confirmations(job, response, now, settings)[1] >= settings.confirmations


def confirmations(job: Job, response: PollResponse, now: datetime, settings: Settings) -> tuple[datetime | None, int]:
    """When REST first answered that the query does not run, and how often by now; each a gap further from the first."""
    if response.is_running is None:
        return job.first_false_at, job.confirmations
    if response.is_running:
        return None, 0
    if job.first_false_at is None or job.confirmations == 0:
        return now, 1
    is_apart = now - job.first_false_at >= settings.confirmation_gap * job.confirmations
    return job.first_false_at, job.confirmations + is_apart
