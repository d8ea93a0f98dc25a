"""How a job did: its numbers, its verdict, its roll-ups (rules 8, 9 and 11). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import fmean, median

from pollctl_latency.model import Limits, Rollup, Sample, SampleStatus, Stats, Summary, Verdict

BUCKET = timedelta(minutes=5)
MAX_SYSTEM_ERROR_PERCENT = 5


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
