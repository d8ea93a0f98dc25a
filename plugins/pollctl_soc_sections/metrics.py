"""What Prometheus may know of soc_sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pollctl import from_text
from pollctl_soc_sections import listings

if TYPE_CHECKING:
    from sqlite_utils import Database

_LABELS = ("term", "campus")
_BY_STATUS = (*_LABELS, "status")


def families(db: Database) -> list[Metric]:
    """Polls, events, notifications, the latest poll (Unix time) and the open sections of each term and campus."""
    campuses = listings.campus_counters(db)
    polled = [row for row in campuses if row["last_poll_at"]]
    return [
        _counter("polls", "Times that the open sections were asked for.", campuses, "polls"),
        _counter("poll_failures", "Polls without an answer that could be used.", campuses, "failures"),
        _counter("suspect_polls", "Answers that were empty or had fallen sharply.", campuses, "suspects"),
        _by_status("events", "Openings and closings.", listings.event_counts(db)),
        _by_status("notifications", "Notifications, by what became of them.", listings.notification_counts(db)),
        _gauge("last_poll_seconds", "When an answer was used last.", polled, "last_poll_at"),
        _gauge("open_sections", "Sections that are open.", campuses, "open_sections"),
    ]


def _counter(name: str, meaning: str, rows: Sequence[dict[str, Any]], column: str) -> Metric:
    family = CounterMetricFamily(f"pollctl_soc_{name}", meaning, labels=_LABELS)
    for row in rows:
        family.add_metric([row["term"], row["campus"]], row[column])
    return family


def _by_status(name: str, meaning: str, rows: Sequence[dict[str, Any]]) -> Metric:
    family = CounterMetricFamily(f"pollctl_soc_{name}", meaning, labels=_BY_STATUS)
    for row in rows:
        family.add_metric([row["term"], row["campus"], row["status"]], row["number"])
    return family


def _gauge(name: str, meaning: str, rows: Sequence[dict[str, Any]], column: str) -> Metric:
    family = GaugeMetricFamily(f"pollctl_soc_{name}", meaning, labels=_LABELS)
    for row in rows:
        value = row[column]
        number = from_text(value).timestamp() if isinstance(value, str) else value
        family.add_metric([row["term"], row["campus"]], number)
    return family
