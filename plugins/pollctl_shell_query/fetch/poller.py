"""One poll: the requests about one run, in the order of the rules, each only when the one before leaves it open."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pollctl_shell_query.client import operations, rest
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession
from pollctl_shell_query.client.sql_removal import without_sql
from pollctl_shell_query.decide import gates
from pollctl_shell_query.model import Job, PollResponse, Settings
from pollctl_shell_query.store.selection import DueRun


def poll(session: ApiSession, due: DueRun, now: datetime, settings: Settings) -> PollResponse | None:
    """What the upstream answers about one run; None when it could not be asked after all, and stays due.

    Raises:
        UpstreamError: there is no token to ask with.
    """
    job, sql = due
    blank = PollResponse(run_id=job.id, poll_count=job.poll_count)
    try:
        if job.rowset_attempts > 0:
            return _ask_rowset(session, job, blank)
        response = _ask_status(session, job, blank, sql)
    except UpstreamError as error:
        if error.kind == "token":
            raise
        return None if error.is_of_the_pass else _unanswered(blank, error, sql)
    response = _ask_rest(session, job, response, now, settings)
    return replace(response, rest_error=without_sql(response.rest_error, sql))


def _ask_status(session: ApiSession, job: Job, blank: PollResponse, sql: str | None) -> PollResponse:
    task = operations.task_status(session, job.task_id or "")
    return replace(
        blank,
        status=without_sql(task.status, sql),
        error_message=without_sql(task.error_message, sql),
        has_completed_date=task.has_completed_date,
    )


def _unanswered(blank: PollResponse, error: UpstreamError, sql: str | None) -> PollResponse:
    return replace(
        blank,
        request_error=without_sql(str(error), sql),
        retry_after_s=error.retry_after_s,
        is_token_refused=error.kind == "auth",
    )


def _ask_rest(session: ApiSession, job: Job, response: PollResponse, now: datetime, settings: Settings) -> PollResponse:
    """What REST answers where the status alone does not end the run; REST that cannot be asked now says nothing."""
    if gates.has_error(response) or gates.is_canceled(response):
        return response
    try:
        if gates.is_complete(response):
            return _ask_rowset(session, job, response)
        if gates.is_probe_due(job, now, settings):
            response = replace(response, probe=rest.count_rows(session, job.target))
        return _ask_gate(session, job, response, now, settings)
    except UpstreamError as error:
        if not error.is_of_the_pass:
            raise
    return response


def _ask_gate(session: ApiSession, job: Job, response: PollResponse, now: datetime, settings: Settings) -> PollResponse:
    """Whether the query runs, where the status is not to be believed; the rows, when it does not."""
    if not gates.is_gate_open(job, response, now, settings):
        return response
    response = _ask_is_running(session, job, response)
    return _ask_rowset(session, job, response) if gates.is_confirmed(job, response, now, settings) else response


def _ask_is_running(session: ApiSession, job: Job, response: PollResponse) -> PollResponse:
    """Whether the query runs, after its ObjectID was looked up where it is not known."""
    try:
        object_id = job.object_id or operations.find_definition(session, job.customer_key)
        if object_id is None:
            return replace(response, rest_error="its definition is not there")
        if job.object_id is None:
            response = replace(response, object_id=object_id)
        return replace(response, is_running=rest.is_running(session, object_id))
    except UpstreamError as error:
        if error.is_of_the_pass:
            raise
        return replace(response, rest_error=str(error))


def _ask_rowset(session: ApiSession, job: Job, response: PollResponse) -> PollResponse:
    rowset = rest.count_rows(session, job.target)
    return replace(response, rowset=rowset, retry_after_s=rowset.retry_after_s)
