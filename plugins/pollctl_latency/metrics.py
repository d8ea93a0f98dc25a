"""What Prometheus may know of latency."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pollctl_latency import queries

if TYPE_CHECKING:
    from sqlite_utils import Database

_BY_JOB = ("job", "target")


def families(db: Database, now: datetime) -> list[Metric]:
    """Samples and jobs by status, stale jobs; of each running job the latest round-trip time and the loss."""
    jobs = queries.jobs(db, now)
    return [_samples(jobs), _jobs(jobs), _stale(jobs), _last_rtt(db), _loss(jobs)]


def _samples(jobs: list[dict[str, Any]]) -> Metric:
    family = CounterMetricFamily("pollctl_latency_samples", "Samples taken, by status.", labels=["status"])
    for status in ("success", "missed", "system_error"):
        family.add_metric([status], sum(job[status] for job in jobs))
    return family


def _jobs(jobs: list[dict[str, Any]]) -> Metric:
    family = GaugeMetricFamily("pollctl_latency_jobs", "Jobs, by status.", labels=["status"])
    counted = Counter(job["status"] for job in jobs)
    for status in ("running", "completed", "cancelled", "failed"):
        family.add_metric([status], counted[status])
    return family


def _stale(jobs: list[dict[str, Any]]) -> Metric:
    text = "Running jobs without a sample for more than twice their cadence."
    return GaugeMetricFamily("pollctl_latency_stale_jobs", text, value=sum(job["stale"] for job in jobs))


def _last_rtt(db: Database) -> Metric:
    text = "Latest round-trip time of a running job."
    family = GaugeMetricFamily("pollctl_latency_last_rtt_seconds", text, labels=_BY_JOB)
    for job_id, target, rtt_ms in queries.last_rtts(db):
        if rtt_ms is not None:
            family.add_metric([str(job_id), target], rtt_ms / 1000)
    return family


def _loss(jobs: list[dict[str, Any]]) -> Metric:
    text = "Share of probes of a running job that were missed."
    family = GaugeMetricFamily("pollctl_latency_loss_ratio", text, labels=_BY_JOB)
    for job in jobs:
        if job["status"] == "running" and job["loss_percent"] is not None:
            family.add_metric([str(job["id"]), job["target"]], job["loss_percent"] / 100)
    return family
