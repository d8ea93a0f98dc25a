"""The metric families of shell_query."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from pollctl.metrics import labelled
from pollctl_shell_query import queries
from pollctl_shell_query.model import RunStatus

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

BOUNDS_S = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1740.0)
_PREFIX = "pollctl_shell_query_"
_PLAIN = {
    "polls": "Polls of runs.",
    "confirmations": "Answers of REST, far enough apart, that a query does not run.",
    "row_probes": "Looks for a first row.",
    "fast_ready": "Runs that were ready before their status said so.",
    "rowset_retries": "Rowsets that could not be read yet.",
    "reconciled": "Runs that nobody asked about any more.",
}
_BY_LABEL = {
    "is_running": ("is_running", "result", "Questions to REST whether a query runs.", ("true", "false", "failed")),
    "timeouts": ("timeout", "kind", "Runs given up.", ("duration", "polls", "rowset")),
}


def families(db: Database, now: datetime) -> list[Metric]:  # noqa: ARG001 - the hook's own
    """Runs by status, what polls came to in the passes that are remembered, and how long runs took."""
    totals = queries.totals(db)
    found: list[Metric] = [_runs(db)]
    for name, text in _PLAIN.items():
        found.append(CounterMetricFamily(f"{_PREFIX}{name}", text, value=totals[name]))
    for name, (counted, label, text, values) in _BY_LABEL.items():
        samples = {value: totals[f"{counted}_{value}"] for value in values}
        found.append(labelled(f"{_PREFIX}{name}", text, [label], samples, kind="counter"))
    return [*found, _durations(db)]


def _runs(db: Database) -> Metric:
    counted = queries.by_status(db)
    samples = {status: counted.get(status, 0) for status in get_args(RunStatus)}
    return labelled(f"{_PREFIX}runs", "Runs, by status.", ["status"], samples)


def _durations(db: Database) -> Metric:
    within, count, total = queries.durations(db, BOUNDS_S)
    buckets = [(f"{bound:g}", number) for bound, number in zip(BOUNDS_S, within, strict=True)]
    family = HistogramMetricFamily(f"{_PREFIX}duration_seconds", "From the start of a run to its end.")
    family.add_metric([], [*buckets, ("+Inf", count)], sum_value=total)
    return family
