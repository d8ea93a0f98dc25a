"""Metric families: polls, events, notifications and open sections of each term and campus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pollctl import from_text
from pollctl.metrics import labelled
from pollctl_soc_sections import queries

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from sqlite_utils import Database

_LABELS = ("term", "campus")
_BY_STATUS = (*_LABELS, "status")


def families(db: Database) -> list[Metric]:
    """Polls, events, notifications, the latest poll (Unix time), held answers and open sections of each term and campus."""
    campuses = queries.campus_counters(db)
    polled = [{**row, "last_poll_seconds": _unix(row["last_poll_at"])} for row in campuses if row["last_poll_at"]]
    held = [{**row, "held_seconds": _seconds(row["held_since"], row["held_last_at"])} for row in campuses]
    timed = [row for row in campuses if row["duration_seconds"] is not None]
    return [
        _counter("polls", "Times that the open sections were requested.", _LABELS, campuses, "polls"),
        _counter("poll_failures", "Polls without an answer that could be used.", _LABELS, campuses, "failures"),
        _counter("suspect_polls", "Answers that were empty or had fallen sharply.", _LABELS, campuses, "suspects"),
        _counter("events", "Openings and closings.", _BY_STATUS, queries.event_counts(db), "number"),
        _counter(
            "notifications",
            "Notifications, by what became of them.",
            _BY_STATUS,
            queries.notification_counts(db),
            "number",
        ),
        _gauge("last_poll_timestamp_seconds", "When an answer was used last.", polled, "last_poll_seconds"),
        _gauge("poll_duration_seconds", "How long the latest poll took.", timed, "duration_seconds"),
        _gauge("held_seconds", "How long answers have been held, one after the other.", held, "held_seconds"),
        _gauge("open_sections", "Sections that are open.", campuses, "open_sections"),
    ]


def _counter(
    name: str, meaning: str, labels: tuple[str, ...], rows: Iterable[Mapping[str, Any]], column: str
) -> Metric:
    return labelled(f"pollctl_soc_{name}", meaning, labels, _samples(labels, rows, column), kind="counter")


def _gauge(name: str, meaning: str, rows: Iterable[Mapping[str, Any]], column: str) -> Metric:
    return labelled(f"pollctl_soc_{name}", meaning, _LABELS, _samples(_LABELS, rows, column))


def _samples(
    labels: tuple[str, ...], rows: Iterable[Mapping[str, Any]], column: str
) -> list[tuple[tuple[str, ...], float]]:
    return [(tuple(row[label] for label in labels), row[column]) for row in rows]


def _unix(text: str) -> float:
    return from_text(text).timestamp()


def _seconds(since: str | None, until: str | None) -> float:
    return (from_text(until) - from_text(since)).total_seconds() if since and until else 0.0
