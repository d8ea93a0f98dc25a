"""One poll: the questions about one run, in the order of the rules, each only when the one before leaves it open."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pollctl_shell_query.client import operations as partner
from pollctl_shell_query.client import rest
from pollctl_shell_query.client.errors import UpstreamError, scrubbed
from pollctl_shell_query.client.session import Desk
from pollctl_shell_query.decide import polls as decide
from pollctl_shell_query.model.decisions import Job, Reading, Settings
from pollctl_shell_query.store.load import Due


def ask(desk: Desk, due: Due, now: datetime, settings: Settings) -> Reading | None:
    """What the upstream says about one run; None when it could not be asked after all, and stays due.

    Raises:
        UpstreamError: there is no token to ask with.
    """
    job, sql = due
    blank = Reading(run_id=job.id, poll_count=job.poll_count)
    try:
        if job.rowset_attempts > 0:
            return _ask_rowset(desk, job, blank)
        reading = _ask_status(desk, job, blank, sql)
    except UpstreamError as trouble:
        if trouble.kind == "token":
            raise
        return None if trouble.is_of_the_pass else _troubled(blank, trouble, sql)
    reading = _ask_rest(desk, job, reading, now, settings)
    return replace(reading, rest_trouble=scrubbed(reading.rest_trouble, sql))


def _ask_status(desk: Desk, job: Job, blank: Reading, sql: str | None) -> Reading:
    said = partner.status(desk, job.task_id or "")
    return replace(
        blank,
        status=scrubbed(said.status, sql),
        error=scrubbed(said.error, sql),
        has_completed_date=said.has_completed_date,
    )


def _troubled(blank: Reading, trouble: UpstreamError, sql: str | None) -> Reading:
    return replace(
        blank,
        trouble=scrubbed(str(trouble), sql),
        retry_after_s=trouble.retry_after_s,
        is_refused=trouble.kind == "auth",
    )


def _ask_rest(desk: Desk, job: Job, reading: Reading, now: datetime, settings: Settings) -> Reading:
    """What REST says where the status alone does not end the run; REST that cannot be asked now is no signal."""
    if decide.has_error(reading) or decide.is_canceled(reading):
        return reading
    try:
        if decide.is_probe_due(job, now, settings):
            reading = replace(reading, probe=rest.count_rows(desk, job.target))
        if reading.probe is not None and reading.probe.count:
            return reading
        if decide.is_complete(reading):
            return _ask_rowset(desk, job, reading)
        return _ask_gate(desk, job, reading, now, settings)
    except UpstreamError as trouble:
        if not trouble.is_of_the_pass:
            raise
    return reading


def _ask_gate(desk: Desk, job: Job, reading: Reading, now: datetime, settings: Settings) -> Reading:
    """Whether the query runs, where the status is not to be believed; the rows, when it does not."""
    if not decide.is_gate_open(job, reading, now, settings):
        return reading
    reading = _ask_is_running(desk, job, reading)
    return _ask_rowset(desk, job, reading) if decide.is_confirmed(job, reading, now, settings) else reading


def _ask_is_running(desk: Desk, job: Job, reading: Reading) -> Reading:
    """Whether the query runs, after its ObjectID was looked up where it is not known."""
    try:
        object_id = job.object_id or partner.find_definition(desk, job.customer_key)
        if object_id is None:
            return replace(reading, rest_trouble="its definition is not there")
        if job.object_id is None:
            reading = replace(reading, object_id=object_id)
        return replace(reading, is_running=rest.is_running(desk, object_id))
    except UpstreamError as trouble:
        if trouble.is_of_the_pass:
            raise
        return replace(reading, rest_trouble=str(trouble))


def _ask_rowset(desk: Desk, job: Job, reading: Reading) -> Reading:
    rowset = rest.count_rows(desk, job.target)
    return replace(reading, rowset=rowset, retry_after_s=rowset.retry_after_s)
