"""Rounds: which jobs are due, and when a measurement counts as started."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.latency.values import NOON, job, measurement_of

from pollctl_latency.fetch.probe_pool import SHORTEST_ROUND, aligned, measure_without_probe
from pollctl_latency.fetch.rounds import LONGEST_ROUND, select_jobs

# rules 2 and 3: expired, due, not yet


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (NOON, "due"),
        (NOON + timedelta(hours=1), "due"),
        (NOON + timedelta(hours=1, milliseconds=1), "expired"),
        (NOON - timedelta(milliseconds=1), "neither"),
    ],
    ids=["at the start", "at exactly the end", "a millisecond after the end", "before the start"],
)
def test_expiry_is_looked_at_before_dueness(now: datetime, kind: str) -> None:
    selected = select_jobs([job()], now, {})

    assert (bool(selected.due), bool(selected.expired)) == (kind == "due", kind == "expired")


@pytest.mark.parametrize(
    ("since_last", "is_due"), [(59.999, False), (60, True), (600, True)], ids=["early", "on time", "late"]
)
def test_a_job_is_due_a_cadence_after_its_latest_probe_started(since_last: float, is_due: bool) -> None:
    now = NOON + timedelta(minutes=20)
    selected = select_jobs([job(last_ping_at=now - timedelta(seconds=since_last))], now, {})

    assert bool(selected.due) is is_due


def test_a_job_with_a_probe_in_flight_is_neither_due_nor_over() -> None:
    selected = select_jobs([job(last_ping_at=NOON)], NOON + timedelta(hours=2), {1})

    assert not selected.due
    assert not selected.expired


@settings(deadline=None)  # a busy machine is not a failure
@given(st.lists(st.integers(-3_600_000, 3_600_000), max_size=10))
def test_the_next_round_comes_with_the_next_due_job_but_neither_too_late_nor_too_soon(
    offsets: list[int],
) -> None:
    now = NOON + timedelta(minutes=30)
    jobs = [job(id=n, last_ping_at=NOON + timedelta(milliseconds=ms)) for n, ms in enumerate(offsets)]
    selected = select_jobs(jobs, now, {})
    waiting = [each.due_at for each in jobs if each not in selected.due]

    assert now + SHORTEST_ROUND <= selected.next_at <= now + LONGEST_ROUND
    assert selected.next_at <= max(now + SHORTEST_ROUND, min(waiting, default=now + LONGEST_ROUND))
    assert all(each.due_at > now for each in jobs if each not in selected.due)


# measurements without a probe, and the moments of those with one


def test_only_a_simulated_job_or_a_target_that_cannot_be_probed_is_measured_without_a_probe() -> None:
    simulated = measure_without_probe(job(target="healthy-1", monitoring_mode="simulated"), NOON)
    malformed = measure_without_probe(job(target="no port", probe="tcp"), NOON)

    assert simulated is not None
    assert simulated.status == "success"
    assert malformed is not None
    assert (malformed.status, malformed.reason) == ("system_error", "a target is printable text without blanks")
    assert measure_without_probe(job(), NOON) is None


@pytest.mark.parametrize(
    ("after", "counts_from"),
    [(timedelta(milliseconds=49), NOON), (SHORTEST_ROUND, NOON + SHORTEST_ROUND), (timedelta(0), NOON)],
    ids=["within the shortest round", "after it", "with its round"],
)
def test_a_probe_that_starts_soon_after_its_round_counts_as_started_with_it(
    after: timedelta, counts_from: datetime
) -> None:
    measured = aligned(job(last_ping_at=NOON - timedelta(hours=1)), measurement_of(1, 20.0, NOON + after), NOON)

    assert measured is not None
    assert measured.started_at == counts_from
    assert aligned(job(), None, NOON) is None
