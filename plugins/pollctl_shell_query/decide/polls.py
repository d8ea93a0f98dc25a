"""What becomes of a run after one poll, in the order of the rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from pollctl import counted
from pollctl_shell_query.decide.delays import backoff_delay, jitter_factor
from pollctl_shell_query.decide.gates import (
    confirmations,
    has_error,
    is_canceled,
    is_complete,
    is_confirmed,
    is_exhausted,
    is_row_seen,
    is_suspicious,
)
from pollctl_shell_query.decide.wording import in_words
from pollctl_shell_query.model import (
    AUTH_FAILURES,
    CloseRun,
    Decision,
    FailRun,
    FinishRun,
    Job,
    PollAgain,
    PollResponse,
    Settings,
)


def judge(job: Job, response: PollResponse, now: datetime, settings: Settings) -> Decision:
    """What becomes of one run, given what the upstream answered about it."""
    if job.status != "running":
        return close(job)
    if ended := timed_out(job, now, settings):
        return ended
    if job.rowset_attempts > 0:
        return check_rowset(job, response, now, settings, "its rows are waited for")
    if response.is_token_refused and job.auth_failures + 1 >= AUTH_FAILURES:
        counts = counts_of(job, response, now, settings)
        why = f"a fresh token was refused too, in {AUTH_FAILURES} polls in a row"
        return fail(job, "auth_expired", why, response=response, counts=counts)
    if response.request_error:
        return poll_again(job, response, now, settings, response.request_error)
    return judge_status(job, response, now, settings)


def judge_status(job: Job, response: PollResponse, now: datetime, settings: Settings) -> Decision:
    """What becomes of one run whose status is known: an error beats everything."""
    status, counts = response.status.strip().casefold(), counts_of(job, response, now, settings)
    why = f"the upstream says {status or 'nothing'}"
    if has_error(response):
        message = response.error_message.strip() or f"The query ended as {response.status.strip()}"
        return fail(job, message, why, response=response, counts=counts)
    if is_canceled(response):
        return fail(job, "The query was canceled in Marketing Cloud", why, response=response, counts=counts)
    if is_complete(response):
        return check_rowset(job, response, now, settings, "the upstream says complete")
    if is_confirmed(job, response, now, settings):
        return check_rowset(job, response, now, settings, "REST answered often enough that it does not run")
    return poll_again(job, response, now, settings, f"{why}{_rest_status(response)}")


def timed_out(job: Job, now: datetime, settings: Settings) -> FailRun | None:
    """The end of a run that has used up its time, or its polls."""
    if job.status != "running" or not is_exhausted(job, now, settings):
        return None
    if job.age(now) >= settings.max_duration:
        allowed = in_words(settings.max_duration)
        return fail(job, f"Query timed out after {allowed}", f"no end after {allowed}", timeout="duration")
    return fail(job, "Poll budget exceeded", f"no end after {counted(job.poll_count, 'poll')}", timeout="polls")


def check_rowset(job: Job, response: PollResponse, now: datetime, settings: Settings, why: str) -> Decision:
    """Rows that can be read are the end; a data extension often cannot be queried at once."""
    rowset, counts = response.rowset, counts_of(job, response, now, settings)
    if rowset is None:
        return poll_again(job, response, now, settings, f"{why}, but the rows could not be asked for now")
    if rowset.count is not None:
        is_fast = (
            is_row_seen(response) and not is_complete(response) and not is_suspicious(job, response, now, settings)
        )
        counts |= {"fast_ready": 1} if is_fast else {}
        return finish(job, response, rowset.count, counts, f"{why}: {counted(rowset.count, 'row')} can be read")
    attempts = job.rowset_attempts + 1
    if attempts >= settings.rowset_attempts:
        tries = counted(attempts, "attempt")
        message = f"Data Extension {job.target} not queryable after {tries}"
        return fail(job, message, rowset.error, response=response, counts=counts, timeout="rowset")
    pause = backoff_delay(settings.rowset_delay, attempts - 1, settings.rowset_max_delay, settings)
    return poll_again(job, response, now, settings, rowset.error, pause=pause, attempts=attempts)


def poll_again(
    job: Job,
    response: PollResponse,
    now: datetime,
    settings: Settings,
    why: str,
    *,
    pause: timedelta | None = None,
    attempts: int = 0,
) -> PollAgain:
    """Ask again after a pause that grows, not before the upstream's Retry-After, but in any case when the time is up."""
    polls = job.poll_count + 1
    first_false_at, count = confirmations(job, response, now, settings)
    if pause is None:
        pause = backoff_delay(settings.initial_delay, polls, settings.max_delay, settings)
    later = now + pause * jitter_factor(job, settings)
    if response.retry_after_s and job.started_at is not None:
        later = max(later, min(now + timedelta(seconds=response.retry_after_s), job.started_at + settings.max_duration))
    return PollAgain(
        run_id=job.id,
        poll_count=polls,
        next_poll_at=later,
        object_id=response.object_id,
        first_false_at=first_false_at,
        confirmations=count,
        rowset_attempts=attempts or job.rowset_attempts,
        probed_at=now if response.probe is not None else job.probed_at,
        auth_failures=job.auth_failures + 1 if response.is_token_refused else 0,
        counts={**counts_of(job, response, now, settings), **({"rowset_retries": 1} if attempts else {})},
        reason=why,
    )


def finish(job: Job, response: PollResponse, row_count: int, counts: dict[str, int], reason: str) -> FinishRun:
    """The rows can be read."""
    return FinishRun(
        run_id=job.id,
        poll_count=job.poll_count + 1,
        row_count=row_count,
        object_id=response.object_id,
        counts=counts,
        reason=reason,
    )


def fail(
    job: Job,
    message: str,
    reason: str,
    *,
    response: PollResponse | None = None,
    counts: dict[str, int] | None = None,
    timeout: str = "",
) -> FailRun:
    """A run that failed; with a *response* the poll that said so counts as well, and *counts* is what it adds."""
    ended = {f"timeout_{timeout}": 1} if timeout else {}
    return FailRun(
        run_id=job.id,
        poll_count=job.poll_count + (response is not None),
        message=message,
        object_id=response.object_id if response else None,
        counts={**(counts or {}), **ended},
        reason=reason,
    )


def close(job: Job) -> CloseRun:
    """A run that was cancelled, also while it was being asked about."""
    return CloseRun(run_id=job.id, reason=f"it is {job.status}")


def counts_of(job: Job, response: PollResponse, now: datetime, settings: Settings) -> dict[str, int]:
    """What one poll adds to the stats of the pass."""
    counts = {"polls": 1}
    if response.probe is not None:
        counts["row_probes"] = 1
    if response.rest_error:
        counts["is_running_failed"] = 1
    elif response.is_running is not None:
        counts["is_running_true" if response.is_running else "is_running_false"] = 1
    if confirmations(job, response, now, settings)[1] > job.confirmations:
        counts["confirmations"] = 1
    return counts


def _rest_status(response: PollResponse) -> str:
    if response.is_running is None:
        return f", REST nothing: {response.rest_error}" if response.rest_error else ""
    return ", REST that it runs" if response.is_running else ", REST that it does not run"
