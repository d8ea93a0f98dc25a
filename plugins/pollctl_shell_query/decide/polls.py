"""The rules: what becomes of a run, given what the upstream said. Pure; no I/O, no clock, no chance."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl_shell_query.model.decisions import (
    KEY_PREFIX,
    Batch,
    CloseRun,
    Decision,
    Definition,
    DeleteDefinition,
    DeleteTarget,
    FailRun,
    FinishRun,
    HoldUpstream,
    Job,
    KeepToken,
    NoteSweep,
    PollAgain,
    Reading,
    ResumePolling,
    Settings,
    StartRun,
    State,
    in_words,
)

_CANCELED = ("canceled", "cancelled")
_LARGEST_EXPONENT = 250  # 10 ** 250 seconds is a number still


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one batch changes: tokens and holds, then runs, then what is cleared away."""
    decisions: list[Decision] = []
    if batch.token is not None:
        decisions.append(KeepToken(token=batch.token, reason=f"a new token, good until {batch.token.renew_at:%H:%M}"))
    decisions.extend(
        HoldUpstream(hold=hold, reason=f"{hold.upstream} wants no request before {hold.until:%Y-%m-%d %H:%M:%S} UTC")
        for hold in batch.holds
    )
    decisions.extend(judge_unpolled(state, batch, now, settings))
    for reading in batch.readings:
        job = state.jobs.get(reading.run_id)
        if job is not None and job.is_polled and job.poll_count == reading.poll_count:
            decisions.append(judge(job, reading, now, settings))
    decisions.extend(start_waiting(state, batch, settings))
    decisions.extend(clear_away(state, batch, now, settings))
    return decisions


def judge_unpolled(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Runs of which something is known without a request."""
    for job in _jobs(state, batch.canceled):
        if job.status == "canceled" and job.is_polled:
            yield close(job)
    for job in _jobs(state, batch.stillborn):
        if job.status == "queued" and job.id in state.stillborn:
            yield fail(job, f"Could not be started: {state.stillborn[job.id]}", "its start was given up")
    yield from judge_forgotten(state, batch, now, settings)


def judge_forgotten(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """Runs that nobody asks about any more, and those that have been asked about long enough."""
    for job in _jobs(state, batch.stuck):
        if is_stuck(job, now, settings):
            begun = job.started_at or now
            yield ResumePolling(run_id=job.id, started_at=begun, reason="it was started, and nobody asks about it")
    for job in _jobs(state, batch.spent):
        if job.is_polled and (ended := end_of_patience(job, now, settings)):
            yield ended


def judge(job: Job, reading: Reading, now: datetime, settings: Settings) -> Decision:
    """What becomes of one run, given what the upstream said about it."""
    if job.status != "running":
        return close(job)
    if ended := end_of_patience(job, now, settings):
        return ended
    if job.rowset_attempts > 0:
        return check_rowset(job, reading, now, settings, "its rows are waited for")
    if reading.is_refused:
        counts = counts_of(job, reading, now, settings)
        return fail(job, "auth_expired", "a fresh token was refused too", reading=reading, counts=counts)
    if reading.trouble:
        return again(job, reading, now, settings, reading.trouble)
    return judge_status(job, reading, now, settings)


def judge_status(job: Job, reading: Reading, now: datetime, settings: Settings) -> Decision:
    """What becomes of one run whose status is known: an error beats everything, a row beats the rest."""
    status, counts = reading.status.strip().casefold(), counts_of(job, reading, now, settings)
    said = f"the upstream says {status or 'nothing'}"
    if has_error(reading):
        message = reading.error.strip() or f"The query ended as {reading.status.strip()}"
        return fail(job, message, said, reading=reading, counts=counts)
    if is_canceled(reading):
        return fail(job, "The query was canceled in Marketing Cloud", said, reading=reading, counts=counts)
    if reading.probe is not None and reading.probe.count:
        return finish(job, reading, reading.probe.count, counts, "a row is there already")
    if is_complete(reading):
        return check_rowset(job, reading, now, settings, "the upstream says complete")
    if is_confirmed(job, reading, now, settings):
        return check_rowset(job, reading, now, settings, "REST said often enough that it does not run")
    return again(job, reading, now, settings, f"{said}{_aside(reading)}")


# the gates, which fetch looks through too before it asks


def has_error(reading: Reading) -> bool:
    """Whether the status tells of an error, whatever else it says."""
    return "error" in reading.status.casefold() or bool(reading.error.strip())


def is_canceled(reading: Reading) -> bool:
    """Whether the query was cancelled upstream."""
    return reading.status.strip().casefold() in _CANCELED


def is_complete(reading: Reading) -> bool:
    """Whether the status tells of the end."""
    return reading.status.strip().casefold() == "complete"


def is_spent(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether a run has used up its time or its polls: at exactly ``max_duration``, and after ``max_polls`` polls."""
    return job.age(now) >= settings.max_duration or job.poll_count >= settings.max_polls


def is_stuck(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether a run was started long enough ago, and nobody asks about it."""
    is_alive = job.status in ("queued", "running") and job.task_id is not None
    return is_alive and not job.is_polled and job.age(now) > settings.reconcile_after


def is_probe_due(job: Job, now: datetime, settings: Settings) -> bool:
    """Whether to look for a first row: only in a data extension of the run's own, where no other row can be."""
    if not (settings.row_probe and job.is_own_target and job.age(now) >= settings.row_probe_after):
        return False
    return job.probed_at is None or now - job.probed_at >= settings.row_probe_every


def is_gate_open(job: Job, reading: Reading, now: datetime, settings: Settings) -> bool:
    """Whether REST is asked: the status hangs, or hints that it is out of date."""
    if job.age(now) >= settings.stuck_after:
        return True
    return reading.has_completed_date and job.age(now) >= settings.completed_date_after


def is_confirmed(job: Job, reading: Reading, now: datetime, settings: Settings) -> bool:
    """Whether REST has now said often enough, and far enough apart, that the query does not run."""
    return reading.is_running is False and confirmations(job, reading, now, settings)[1] >= settings.confirmations


def confirmations(job: Job, reading: Reading, now: datetime, settings: Settings) -> tuple[datetime | None, int]:
    """When REST first said that the query does not run, and how often by now; each a gap further from the first."""
    if reading.is_running is None:
        return job.first_false_at, job.confirmations
    if reading.is_running:
        return None, 0
    if job.first_false_at is None or job.confirmations == 0:
        return now, 1
    is_apart = now - job.first_false_at >= settings.confirmation_gap * job.confirmations
    return job.first_false_at, job.confirmations + is_apart


# rungs


def end_of_patience(job: Job, now: datetime, settings: Settings) -> FailRun | None:
    """The end of a run that has used up its time, or its polls."""
    if job.status != "running" or not is_spent(job, now, settings):
        return None
    if job.age(now) >= settings.max_duration:
        allowed = in_words(settings.max_duration)
        return fail(job, f"Query timed out after {allowed}", f"no end after {allowed}", timeout="duration")
    return fail(job, "Poll budget exceeded", f"no end after {job.poll_count} polls", timeout="polls")


def check_rowset(job: Job, reading: Reading, now: datetime, settings: Settings, why: str) -> Decision:
    """Rows that can be read are the end; a data extension often cannot be queried at once."""
    rowset, counts = reading.rowset, counts_of(job, reading, now, settings)
    if rowset is None:
        return again(job, reading, now, settings, f"{why}, but the rows could not be asked for now")
    if rowset.count is not None:
        return finish(job, reading, rowset.count, counts, f"{why}: {rowset.count} rows can be read")
    attempts = job.rowset_attempts + 1
    if attempts >= settings.rowset_attempts:
        tries = f"{attempts} attempts" if attempts > 1 else "1 attempt"
        message = f"Data Extension {job.target} not queryable after {tries}"
        return fail(job, message, rowset.trouble, reading=reading, counts=counts, timeout="rowset")
    pause = grown(settings.rowset_delay, attempts - 1, settings.rowset_max_delay, settings)
    return again(job, reading, now, settings, rowset.trouble, pause=pause, attempts=attempts)


def again(
    job: Job,
    reading: Reading,
    now: datetime,
    settings: Settings,
    why: str,
    *,
    pause: timedelta | None = None,
    attempts: int = 0,
) -> PollAgain:
    """Ask again after a pause that grows, and not before the upstream wants it, but once more when the time is up."""
    polls = job.poll_count + 1
    first_false_at, count = confirmations(job, reading, now, settings)
    if pause is None:
        pause = grown(settings.initial_delay, polls, settings.max_delay, settings)
    later = now + pause * spread(job, settings)
    if reading.retry_after_s and job.started_at is not None:
        later = max(later, min(now + timedelta(seconds=reading.retry_after_s), job.started_at + settings.max_duration))
    return PollAgain(
        run_id=job.id,
        poll_count=polls,
        next_poll_at=later,
        object_id=reading.object_id,
        first_false_at=first_false_at,
        confirmations=count,
        rowset_attempts=attempts or job.rowset_attempts,
        probed_at=now if reading.probe is not None else job.probed_at,
        counts={**counts_of(job, reading, now, settings), **({"rowset_retries": 1} if attempts else {})},
        reason=why,
    )


def grown(first: timedelta, times: int, most: timedelta, settings: Settings) -> timedelta:
    """A pause that was grown so many times, at most *most*."""
    factor = min(settings.backoff ** min(times, _LARGEST_EXPONENT), most / first)
    return min(first * factor, most)


def spread(job: Job, settings: Settings) -> float:
    """A factor near 1 by which pauses differ from run to run, and from poll to poll, the same whenever it is asked for."""
    chance = zlib.crc32(f"{job.id}:{job.poll_count}".encode()) / 2**32
    return 1 + settings.jitter * (2 * chance - 1)


def finish(job: Job, reading: Reading, row_count: int, counts: dict[str, int], reason: str) -> FinishRun:
    """The rows can be read."""
    is_fast = reading.rowset is None
    return FinishRun(
        run_id=job.id,
        poll_count=job.poll_count + 1,
        row_count=row_count,
        object_id=reading.object_id,
        counts={**counts, "fast_ready": 1} if is_fast else counts,
        reason=reason,
    )


def fail(
    job: Job,
    message: str,
    reason: str,
    *,
    reading: Reading | None = None,
    counts: dict[str, int] | None = None,
    timeout: str = "",
) -> FailRun:
    """A bad end; with a *reading* it is one more poll that told so, and *counts* says what for."""
    ended = {f"timeout_{timeout}": 1} if timeout else {}
    return FailRun(
        run_id=job.id,
        poll_count=job.poll_count + (reading is not None),
        message=message,
        object_id=reading.object_id if reading else None,
        counts={**(counts or {}), **ended},
        reason=reason,
    )


def close(job: Job) -> CloseRun:
    """A run that was cancelled, also while it was being asked about."""
    return CloseRun(run_id=job.id, reason=f"it is {job.status}")


def counts_of(job: Job, reading: Reading, now: datetime, settings: Settings) -> dict[str, int]:
    """What one poll adds to the stats of the pass."""
    counts = {"polls": 1}
    if reading.probe is not None:
        counts["row_probes"] = 1
    if reading.rest_trouble:
        counts["is_running_failed"] = 1
    elif reading.is_running is not None:
        counts["is_running_true" if reading.is_running else "is_running_false"] = 1
    if confirmations(job, reading, now, settings)[1] > job.confirmations:
        counts["confirmations"] = 1
    return counts


def _aside(reading: Reading) -> str:
    if reading.is_running is None:
        return f", REST nothing: {reading.rest_trouble}" if reading.rest_trouble else ""
    return ", REST that it runs" if reading.is_running else ", REST that it does not run"


# starting and clearing away


def start_waiting(state: State, batch: Batch, settings: Settings) -> Iterator[Decision]:
    """As many of the waiting runs as there is room for, the oldest first."""
    room = settings.max_active - state.active
    for job in _jobs(state, batch.waiting):
        if job.status == "queued" and room > 0:
            room -= 1
            yield StartRun(run_id=job.id, reason=f"one of at most {settings.max_active} at a time")


def clear_away(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """What outlived its use upstream: definitions that were left behind, and data extensions kept long enough."""
    for run_id in batch.outlived:
        if run_id in state.undeleted:
            kept = in_words(settings.target_keep)
            yield DeleteTarget(run_id=run_id, reason=f"it was kept for {kept} after the end of its run")
    if batch.definitions is None:
        return
    yield NoteSweep(found=len(batch.definitions), reason=f"{len(batch.definitions)} definitions of ours are upstream")
    for definition in batch.definitions:
        if is_left_behind(definition, state, now, settings):
            old = in_words(settings.sweep_after)
            yield DeleteDefinition(
                object_id=definition.object_id,
                customer_key=definition.customer_key,
                reason=f"left behind for over {old}",
            )


def is_left_behind(definition: Definition, state: State, now: datetime, settings: Settings) -> bool:
    """Whether a definition is ours, is old, and belongs to no run that still needs it."""
    if not definition.customer_key.startswith(KEY_PREFIX) or definition.created_at is None:
        return False
    return now - definition.created_at > settings.sweep_after and definition.customer_key not in state.living


def _jobs(state: State, ids: list[str]) -> Iterator[Job]:
    return (state.jobs[run_id] for run_id in ids if run_id in state.jobs)
