"""Jobs as rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.latency.values import NOON
from plugins.latency.world import World
from sqlite_utils import Database

from pollctl_latency.fetch.rounds import select_jobs
from pollctl_latency.store.jobs import closed_jobs, in_groups, jobs_by_id, jobs_in_turn, logins, next_turn


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [([], []), ([5, 5, 5], [[0, 1], [2]]), ([50, 1], [[0], [1]]), ([0] * 30, [list(range(30))])],
    ids=["nothing", "two fit", "one too large alone", "empty jobs"],
)
def test_groups_are_filled_up_to_a_limit(sizes: list[int], groups: list[list[int]]) -> None:
    assert list(in_groups(enumerate(sizes), 10)) == groups


# rule 6 of scale.md: the next round of a large list is read by due time, not whole

MOMENTS = st.builds(
    lambda ms, us: NOON + timedelta(milliseconds=ms, microseconds=us),
    st.integers(-7_200_000, 7_200_000),
    st.sampled_from(
        [0, 0, 1, 400]
    ),  # more would be rounded up, and tables refuse what that brings into the next second
)


def text(moment: datetime, digits: int) -> str:
    """A moment as some program writes it, with so many digits behind the second."""
    fraction = f"{moment.microsecond:06d}"[:digits]
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}Z"


@given(
    rows=st.lists(
        st.tuples(
            MOMENTS,
            st.none() | MOMENTS,
            st.integers(1, 7200),
            st.integers(0, 7200),
            st.sampled_from([0, 3, 6]),
            st.sampled_from(["running", "running", "completed"]),
        ),
        max_size=8,
    )
)
def test_reading_by_turn_selects_what_reading_all_would(rows: list[tuple[Any, ...]]) -> None:
    world = World()
    for started_at, pinged_at, cadence, more, digits, status in rows:
        world.add_job(
            started_at=text(started_at, digits),
            last_ping_at=pinged_at and text(pinged_at, digits),
            cadence_seconds=cadence,
            duration_seconds=cadence + more,
            status=status,
        )
    everything = [job for job in jobs_by_id(world.db, range(1, len(rows) + 1)).values() if job.status == "running"]
    whole = select_jobs(everything, NOON, {})
    read = select_jobs(jobs_in_turn(world.db, NOON), NOON, {}, next_turn(world.db, NOON))

    assert (read.due, read.expired, read.ahead) == (whole.due, whole.expired, whole.ahead)
    assert read.is_any == whole.is_any
    if whole.next_due_at and read.next_due_at:  # it may look earlier, when a job is over before it is due
        ends = [job.ends_at for job in everything if job.ends_at >= NOON]
        ours = all(digits == 3 for *_, digits, _ in rows)  # those of others sort within their second as they please
        late = timedelta(milliseconds=1) if ours else timedelta(seconds=1)
        assert min([whole.next_due_at, *ends]) - timedelta(milliseconds=1) <= read.next_due_at
        assert read.next_due_at <= whole.next_due_at + late


@pytest.mark.parametrize(
    "read",
    [jobs_in_turn, next_turn, lambda db, _: closed_jobs(db), lambda db, _: logins(db, [1])],
    ids=["jobs in turn", "the next turn", "closed jobs", "logins"],
)
def test_a_round_reads_no_job_that_has_not_its_turn(world: World, read: Callable[[Database, datetime], object]) -> None:
    world.add_job()
    statements: list[str] = []
    with world.db.tracer(lambda sql, _: statements.append(sql)):
        read(world.db, NOON)
    values = {"1": "2026-03-08T12:00:00.000Z"}
    for sql in statements:
        marks = ["x"] * sql.count("?") if "?1" not in sql else list(values.values())
        plan = [row[-1] for row in world.db.execute(f"EXPLAIN QUERY PLAN {sql}", marks)]
        assert not [line for line in plan if line.startswith("SCAN latency_jobs") or "(status=?)" in line], plan
    assert statements
