"""What Prometheus sees of stockx_ops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from pollctl import from_text
from pollctl.metrics import labelled
from pollctl_stockx_ops import queries
from pollctl_stockx_ops.model import COUNTERS, AccountStatus, JobStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from sqlite_utils import Database


def families(db: Database, now: datetime) -> list[Metric]:
    """Jobs and accounts by status, what became of jobs in passes, and the age of the oldest open job."""
    return [
        _by_status(db, "jobs", "stockx_batch_jobs", get_args(JobStatus)),
        _by_status(db, "accounts", "stockx_accounts", get_args(AccountStatus)),
        _processed(db),
        _warnings(db),
        _oldest(db, now),
    ]


def _by_status(db: Database, name: str, table: str, statuses: Sequence[str]) -> Metric:
    counts = queries.by_status(db, table)
    samples = {status: counts.get(status, 0) for status in statuses}
    return labelled(f"pollctl_stockx_ops_{name}", f"{name.capitalize()}, by status.", ["status"], samples)


def _processed(db: Database) -> Metric:
    meaning = "What became of jobs, in the passes that are remembered."
    stats = queries.stats(db)
    samples = {name: stats[name] for name in COUNTERS}
    return labelled("pollctl_stockx_ops_processed", meaning, ["result"], samples, kind="counter")


def _warnings(db: Database) -> Metric:
    meaning = "Fields of answers that could not be read and were left as they were."
    return labelled("pollctl_stockx_ops_warnings", meaning, [], [((), queries.warnings(db))], kind="counter")


def _oldest(db: Database, now: datetime) -> Metric:
    started_at = queries.oldest_open_job(db)
    age_s = (now - from_text(started_at)).total_seconds() if started_at else 0.0
    return labelled("pollctl_stockx_ops_oldest_open_job_seconds", "Age of the oldest open job.", [], [((), age_s)])
