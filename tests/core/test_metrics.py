"""Families as plugins build them, in the text that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from pollctl.metrics import labelled


class Collected:
    def __init__(self, *families: object) -> None:
        self.collect = lambda: families


def text_of(family: object) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Collected(family))  # type: ignore[arg-type]
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_gauge_by_one_label_comes_from_a_mapping() -> None:
    family = labelled("jobs", "Jobs, by status.", ["status"], {"running": 2, "failed": 0})
    assert text_of(family) == ['jobs{status="running"} 2.0', 'jobs{status="failed"} 0.0']


def test_a_counter_by_several_labels_comes_from_pairs() -> None:
    family = labelled("polls", "Polls.", ["term", "campus"], [(("92026", "NB"), 3)], kind="counter")
    assert text_of(family) == ['polls_total{campus="NB",term="92026"} 3.0']
