"""What a measurement means for its job, and when a job is over (rules 2, 4, 5, 10 and 11). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pollctl import spoken_length
from pollctl_latency.decide.summary import roll_up, summarise
from pollctl_latency.model import (
    AddSample,
    AlertType,
    ChangeAlertState,
    CompleteJob,
    Decision,
    Job,
    Measurement,
    RollUpJob,
    SampleStatus,
    State,
    Tail,
)


def judge_measurement(state: State, measurement: Measurement) -> Iterator[Decision]:
    """What one probe means for its job; nothing where the job was closed while the probe was in flight."""
    job = state.jobs.get(measurement.job_id)
    if job is None or job.status != "running":
        return
    tail = state.tails[job.id]
    yield AddSample(
        job_id=job.id,
        sequence_number=tail.next_sequence,
        status=measurement.status,
        rtt_ms=measurement.rtt_ms,
        jitter_ms=jitter(measurement.rtt_ms, tail.last_rtt_ms),
        recorded_at=measurement.started_at,
        reason=measurement.reason or f"answered in {measurement.rtt_ms:.1f} ms",
        address=measurement.address,
    )
    for change in (sight(job, measurement.status, tail), alert(job, measurement.status, tail)):
        if change is not None:
            yield change_alert_state(state, job, change, measurement.started_at)


def jitter(rtt_ms: float | None, last_rtt_ms: float | None) -> float | None:
    """How far a success lies from the success before it; None for the first, and without a success."""
    if rtt_ms is None or last_rtt_ms is None:
        return None
    return abs(rtt_ms - last_rtt_ms)


def alert(job: Job, status: SampleStatus, tail: Tail) -> AlertType | None:
    """The alert that this outcome raises: ``offline`` after five misses in a row, ``recovery`` after five successes later.

    ``system_error`` says nothing about the target and is left out. A job may ask for another number than five.
    """
    if status == "system_error":
        return None
    wanted = job.limits.outage_length
    latest = [status, *tail.recent][:wanted]
    if job.alert_state == "ok" and latest == ["missed"] * wanted:
        return "offline"
    if job.alert_state == "offline_alerted" and latest == ["success"] * wanted:
        return "recovery"
    return None


def sight(job: Job, status: SampleStatus, tail: Tail) -> AlertType | None:
    """The alert that is about us: ``blind`` after five samples in a row that could not be taken, ``seeing`` with the next one."""
    if status != "system_error":
        return "seeing" if job.is_blind else None
    is_blind = tail.system_errors + 1 >= job.limits.outage_length
    return "blind" if is_blind and not job.is_blind else None


def change_alert_state(state: State, job: Job, alert_type: AlertType, at: datetime) -> ChangeAlertState:
    """The new state of a job; the alert itself is kept and notified only where the job asks for it."""
    wanted = job.limits.outage_length
    asked_for, reason = {
        "offline": (job.alert_offline, f"the last {wanted} probes all missed"),
        "recovery": (job.alert_recovery, f"the last {wanted} probes all succeeded"),
        "blind": (job.alert_blind, f"the last {wanted} samples could not be taken"),
        "seeing": (job.alert_blind, "a sample could be taken again"),
    }[alert_type]
    return ChangeAlertState(
        job_id=job.id,
        target=job.target,
        alert_type=alert_type,
        triggered_at=at,
        is_announced=asked_for,
        recipients=state.recipients.get(job.id, []),
        reason=reason,
    )


def judge_end(state: State, job_id: int, now: datetime) -> Iterator[Decision]:
    """A job past its end is completed; one that was closed early gets its numbers; any other runs on."""
    job = state.jobs.get(job_id)
    if job is None or (job.status == "running" and now <= job.ends_at):
        return
    samples = state.samples.get(job_id, [])
    summary, rollups = summarise(samples, job.limits), roll_up(samples)
    if job.status != "running":
        reason = f"{job.status} by someone; {len(samples)} sample{'' if len(samples) == 1 else 's'} rolled up"
        yield RollUpJob(job_id=job_id, summary=summary, rollups=rollups, reason=reason)
        return
    yield CompleteJob(
        job_id=job_id,
        target=job.target,
        completed_at=now,
        summary=summary,
        rollups=rollups,
        recipients=state.recipients.get(job_id, []),
        reason=f"ran {spoken_length(timedelta(seconds=job.duration_seconds))}: {summary.verdict}",
    )
