"""What Prometheus sees of latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from pollctl.metrics import labelled
from pollctl_latency import queries
from pollctl_latency.model import JobStatus, SampleStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from sqlite_utils import Database

_BY_JOB = ("job", "target")


def families(db: Database, now: datetime) -> list[Metric]:
    """Samples and jobs by status, stale jobs; of each running job the latest round-trip time and the loss."""
    jobs = list(queries.jobs(db, now))
    return [_samples(jobs), _jobs(jobs), _stale(jobs), _last_rtt(db), _loss(jobs)]


def _samples(jobs: Sequence[dict[str, Any]]) -> Metric:
    counts = {status: sum(job[status] for job in jobs) for status in get_args(SampleStatus)}
    return labelled("pollctl_latency_samples", "Samples taken, by status.", ["status"], counts, kind="counter")


def _jobs(jobs: Iterable[dict[str, Any]]) -> Metric:
    counts = Counter(job["status"] for job in jobs)
    by_status = {status: counts[status] for status in get_args(JobStatus)}
    return labelled("pollctl_latency_jobs", "Jobs, by status.", ["status"], by_status)


def _stale(jobs: Iterable[dict[str, Any]]) -> Metric:
    meaning = "Running jobs without a sample for more than twice their cadence."
    return labelled("pollctl_latency_stale_jobs", meaning, [], [((), sum(job["stale"] for job in jobs))])


def _last_rtt(db: Database) -> Metric:
    rows = queries.last_rtts(db)
    seconds = [((str(job_id), target), rtt_ms / 1000) for job_id, target, rtt_ms in rows if rtt_ms is not None]
    return labelled("pollctl_latency_last_rtt_seconds", "Latest round-trip time of a running job.", _BY_JOB, seconds)


def _loss(jobs: Iterable[dict[str, Any]]) -> Metric:
    measured = (job for job in jobs if job["status"] == "running" and job["loss_percent"] is not None)
    ratios = [((str(job["id"]), job["target"]), job["loss_percent"] / 100) for job in measured]
    meaning = "Share of probes of a running job that were missed."
    return labelled("pollctl_latency_loss_ratio", meaning, _BY_JOB, ratios)
