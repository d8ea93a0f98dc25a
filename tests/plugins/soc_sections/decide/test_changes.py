"""What an answer changes: first sights, openings, closings and misses."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha1
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, World, indexes

OTHERS = indexes(10_000, 10_300)


# rule 2


def test_first_sight_stores_states_and_notifies_nobody(world: Any) -> None:
    world.configure(catalogue_every=timedelta(days=1))
    world.catalogue([INDEX, *OTHERS])
    world.poll(OTHERS)

    assert world.rows("SELECT status, count(*) FROM soc_sections GROUP BY 1") == [("CLOSED", 1), ("OPEN", 300)]
    assert (world.events(), world.rows("SELECT * FROM soc_open_events"), world.run.messages) == ([], [], [])


# rule 4


@pytest.mark.parametrize("threshold", [1, 2, 3, 5])
def test_misses_close_at_the_threshold(threshold: int) -> None:
    world = World(catalogue_every=timedelta(), miss_threshold=threshold)
    world.poll([INDEX, "10000"])
    statuses = []
    for _ in range(threshold):
        statuses.append(world.status())
        world.poll(["10000"])
    assert (statuses, world.status()) == (["OPEN"] * threshold, "CLOSED")


def test_a_clock_that_steps_back_does_not_stop_the_counting(world: Any) -> None:
    world.poll([INDEX, "10000"])
    world.poll(["10000"], after=-timedelta(hours=3))
    world.poll(["10000"])
    assert world.status() == "CLOSED"


# rule 12


def test_the_key_of_an_event_is_the_sha_1_of_what_it_is(world: Any) -> None:
    world.subscribe()
    for letter in "XOXXO":
        world.poll(["10000", *([INDEX] if letter == "O" else [])])
    expected = [
        sha1(f"92026|NB|{INDEX}|{status}|{episode}".encode()).hexdigest()
        for status, episode in (("OPEN", 0), ("CLOSED", 0), ("OPEN", 1))
    ]
    assert world.rows("SELECT dedupe_key, seat_delta FROM soc_status_events ORDER BY id") == [
        (expected[0], 1), (expected[1], -1), (expected[2], 1),
    ]  # fmt: skip
    assert world.rows("SELECT dedupe_key, seat_delta FROM soc_open_events ORDER BY id") == [
        (expected[0], 1), (expected[2], 1),
    ]  # fmt: skip
