"""What Prometheus may know of toilet_gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from prometheus_client.core import CounterMetricFamily, Metric

from pollctl.metrics import labelled
from pollctl_toilet_gap import queries
from pollctl_toilet_gap.model import CheckResult

if TYPE_CHECKING:
    from sqlite_utils import Database

_COUNTERS = (
    ("windows_ended_by_visit", "EVENT_OBSERVED", "Windows that a visit ended."),
    ("alarms", "ALARM_SENT", "Windows that ended without a visit."),
    ("late_events", "EVENT_LATE", "Visits that came too late to move a window."),
)


def families(db: Database) -> list[Metric]:
    """Windows, alarms, late events, dead letters, and checks by result."""
    counted = queries.by_name(db)
    counters = [
        CounterMetricFamily(f"pollctl_toilet_gap_{name}", text, value=counted.get(record, 0))
        for name, record, text in _COUNTERS
    ]
    letters = CounterMetricFamily(
        "pollctl_toilet_gap_dead_letters", "What could not be understood or believed.", value=queries.dead_letters(db)
    )
    results = queries.by_result(db)
    samples = {result: results.get(result, 0) for result in ("OPEN", *get_args(CheckResult))}
    checks = labelled("pollctl_toilet_gap_checks", "Checks, by result.", ["result"], samples)
    return [*counters, letters, checks]
