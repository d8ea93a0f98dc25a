"""The rules: what a measurement means for its job, when a job is over, and how it did. Pure; no I/O, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import fmean, median

from pollctl_latency.model import (
    AddSample,
    AlertType,
    ChangeAlertState,
    CompleteJob,
    Decision,
    Job,
    Limits,
    Measurement,
    PruneSamples,
    Rollup,
    RollUpJob,
    Round,
    Sample,
    SampleStatus,
    Settings,
    State,
    Stats,
    Summary,
    Tail,
    Verdict,
)

BUCKET = timedelta(minutes=5)
MAX_SYSTEM_ERROR_PERCENT = 5


def decide(state: State, batch: Round, now: datetime, settings: Settings) -> list[Decision]:
    """What one round changes: samples and alerts, then jobs that are over, then samples that are old."""
    decisions: list[Decision] = []
    for measurement in batch.measurements:
        decisions.extend(judge_measurement(state, measurement))
    for job_id in batch.finished:
        decisions.extend(judge_end(state, job_id, now))
    before = now - settings.keep_samples
    reason = f"rolled up, and older than {settings.keep_samples}"
    decisions.extend(PruneSamples(job_id=job_id, before=before, reason=reason) for job_id in batch.prunable)
    return decisions


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
        reason=f"ran {timedelta(seconds=job.duration_seconds)}: {summary.verdict}",
    )


def summarise(samples: Sequence[Sample], limits: Limits) -> Summary:
    """How a job did, from all its samples in order; of a running job, how it has done so far."""
    stats = compute_stats(samples)
    measured = stats.success + stats.missed
    loss = 100 * stats.missed / measured if measured else None
    streaks = miss_streaks(sample.status for sample in samples)
    return Summary(
        stats=stats,
        loss_percent=loss,
        rtt_median_ms=median(rtts(samples)) if stats.success else None,
        jitter_max_ms=max(jitters(samples), default=None),
        outages=sum(streak >= limits.outage_length for streak in streaks),
        longest_streak=max(streaks, default=0),
        verdict=verdict(stats, loss, limits),
        cause=commonest_cause(samples),
    )


def commonest_cause(samples: Iterable[Sample]) -> str:
    """Why most of the samples that could not be taken could not; the earliest of those that are equally common."""
    causes = Counter(sample.reason for sample in samples if sample.status == "system_error")
    return causes.most_common(1)[0][0] if causes else ""


def verdict(stats: Stats, loss: float | None, limits: Limits) -> Verdict:
    """The first that holds: no samples, too many system errors, a limit exceeded, pass.

    A number that is missing, such as the jitter of a single success, exceeds no limit.
    """
    samples = stats.success + stats.missed + stats.system_error
    if not samples:
        return "no_data"
    if 100 * stats.system_error > MAX_SYSTEM_ERROR_PERCENT * samples:
        return "unreliable"
    held = (
        (loss, limits.max_loss_percent),
        (stats.rtt_p95_ms, limits.max_p95_ms),
        (stats.jitter_avg_ms, limits.max_jitter_ms),
    )
    is_within = all(value is None or value <= limit for value, limit in held)
    return "pass" if is_within else "fail"


def roll_up(samples: Iterable[Sample]) -> list[Rollup]:
    """Samples gathered into five-minute buckets of UTC, in their order."""
    buckets: dict[datetime, list[Sample]] = {}
    for sample in samples:
        buckets.setdefault(bucket_start(sample.recorded_at), []).append(sample)
    return [Rollup(bucket_start=start, stats=compute_stats(bucket)) for start, bucket in sorted(buckets.items())]


def compute_stats(samples: Sequence[Sample]) -> Stats:
    """Counts and milliseconds of some samples."""
    outcomes = [sample.status for sample in samples]
    times, steps = rtts(samples), jitters(samples)
    return Stats(
        success=outcomes.count("success"),
        missed=outcomes.count("missed"),
        system_error=outcomes.count("system_error"),
        rtt_avg_ms=fmean(times) if times else None,
        rtt_min_ms=min(times, default=None),
        rtt_max_ms=max(times, default=None),
        rtt_p95_ms=p95(sorted(times)),
        jitter_avg_ms=fmean(steps) if steps else None,
    )


def rtts(samples: Iterable[Sample]) -> list[float]:
    """Round-trip times of the successes."""
    return [sample.rtt_ms for sample in samples if sample.rtt_ms is not None]


def jitters(samples: Iterable[Sample]) -> list[float]:
    """Jitters of the successes that followed another."""
    return [sample.jitter_ms for sample in samples if sample.jitter_ms is not None]


def bucket_start(moment: datetime) -> datetime:
    """The five-minute mark at or before *moment* (UTC)."""
    return moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)


def p95(ordered: Sequence[float]) -> float | None:
    """``sorted[floor(0.95 n)]``, in whole numbers so that no rounding moves it."""
    return ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)] if ordered else None


def miss_streaks(outcomes: Iterable[SampleStatus]) -> list[int]:
    """Lengths of the runs of misses; a success ends one, a ``system_error`` neither ends nor extends it."""
    counted = (outcome for outcome in outcomes if outcome != "system_error")
    return [len(list(run)) for outcome, run in groupby(counted) if outcome == "missed"]
