"""What Prometheus may know of stockx_ops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pollctl import from_text
from pollctl_stockx_ops import listings
from pollctl_stockx_ops.model import COUNTED, AccountStatus, JobStatus

if TYPE_CHECKING:
    from sqlite_utils import Database


def families(db: Database, now: datetime) -> list[Metric]:
    """Jobs and accounts by status, what became of jobs in passes, and the age of the oldest open job."""
    return [
        _by_status(db, "jobs", "stockx_batch_jobs", get_args(JobStatus)),
        _by_status(db, "accounts", "stockx_accounts", get_args(AccountStatus)),
        _processed(db),
        _oldest(db, now),
    ]


def _by_status(db: Database, name: str, table: str, statuses: Sequence[str]) -> Metric:
    family = GaugeMetricFamily(f"pollctl_stockx_ops_{name}", f"{name.capitalize()}, by status.", labels=["status"])
    counted = listings.by_status(db, table)
    for status in statuses:
        family.add_metric([status], counted.get(status, 0))
    return family


def _processed(db: Database) -> Metric:
    text = "What became of jobs, in the passes that are remembered."
    family = CounterMetricFamily("pollctl_stockx_ops_processed", text, labels=["result"])
    stats = listings.stats(db)
    for name in COUNTED:
        family.add_metric([name], stats[name])
    return family


def _oldest(db: Database, now: datetime) -> Metric:
    started_at = listings.oldest_open(db)
    age = (now - from_text(started_at)).total_seconds() if started_at else 0.0
    return GaugeMetricFamily("pollctl_stockx_ops_oldest_open_job_seconds", "Age of the oldest open job.", value=age)
