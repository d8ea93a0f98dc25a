"""What an answer is worth, called one batch at a time on a real database."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, World, indexes, world_with_catalogue

from pollctl_soc_sections.decide.verdicts import baseline, is_sharp
from pollctl_soc_sections.model import Settings

OTHERS = indexes(10_000, 10_300)

SECOND = timedelta(seconds=1)


# rule 4


def test_an_answer_within_the_gap_counts_openings_but_no_misses(world: Any) -> None:
    world.poll([INDEX, "10000"])
    verdicts = [world.poll(["10000"], after=10 * SECOND) for _ in range(5)]
    assert verdicts == ["too_soon", "too_soon", "accepted", "too_soon", "too_soon"]
    assert world.status() == "OPEN"
    assert world.poll(["10000"], after=10 * SECOND) == "accepted"
    assert world.status() == "CLOSED"
    assert world.poll([INDEX, "10000"], after=SECOND) == "too_soon"
    assert (world.status(), world.events()) == ("OPEN", ["CLOSED", "OPEN"])


# rule 6


def test_an_empty_answer_with_nothing_known_open_is_valid(world: Any) -> None:
    assert world.poll([]) == "accepted"


def test_an_empty_answer_may_be_believed_where_the_settings_allow_it() -> None:
    world = World(catalogue_every=timedelta(), confirm_empty=True)
    world.poll([INDEX, *OTHERS])
    assert [world.poll([]) for _ in range(6)] == ["suspect_empty"] * 5 + ["confirmed"]
    assert (world.status(), world.rows("SELECT DISTINCT misses FROM soc_sections")) == ("OPEN", [(1,)])
    assert (world.poll([]), world.status()) == ("accepted", "CLOSED")
    assert world.poll([INDEX, *OTHERS]) == "accepted"
    assert world.poll([]) == "suspect_empty"


def test_an_empty_answer_within_the_gap_does_not_put_off_the_next_miss(world: Any) -> None:
    world.poll([INDEX, "10000"])
    assert world.poll([], after=20 * SECOND) == "suspect_empty"
    assert world.poll(["10000"], after=20 * SECOND) == "accepted"
    assert world.rows("SELECT misses FROM soc_sections WHERE index_number = ?", [INDEX]) == [(1,)]


def test_by_default_an_empty_answer_is_never_believed(world: Any) -> None:
    world.poll([INDEX, *OTHERS])
    assert {world.poll([], after=timedelta(hours=1)) for _ in range(50)} == {"suspect_empty"}
    assert (world.events(), world.rows("SELECT sum(misses) FROM soc_sections")) == ([], [(0,)])


# rule 7


def test_the_border_of_a_sharp_fall_is_exact() -> None:
    assert not is_sharp(11_423, 10_281, Settings())
    assert is_sharp(11_423, 10_280, Settings())


@pytest.mark.parametrize("base", [250, 1130, 2290, 70_000])
def test_a_fall_of_exactly_the_share_is_suspect_however_floats_round(base: int) -> None:
    assert is_sharp(base, base - base // 10, Settings())
    assert not is_sharp(base, base - base // 10 + 1, Settings())


def test_a_small_fall_is_believed_whatever_its_share() -> None:
    assert not is_sharp(30, 6, Settings())
    assert is_sharp(30, 5, Settings())


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], None), ([5], 5), ([1, 9], 9), ([9, 1], 1), ([9, 8, 1], 8), ([4, 3, 2, 1], 2)],
    ids=str,
)
def test_the_baseline_is_the_lower_median_or_the_last_count(counts: list[int], expected: int | None) -> None:
    assert baseline(counts) == expected


def test_the_baseline_looks_at_sixteen_counts(world: Any) -> None:
    for count in [250] + [240] * 16:
        world.poll(indexes(0, count))
    assert world.rows("SELECT counts FROM soc_campuses") == [(json.dumps([240] * 16),)]


def test_a_sharp_fall_holds_closings_and_misses_while_openings_count() -> None:
    world = world_with_catalogue(indexes(0, 320))
    world.subscribe("00310")
    world.poll(indexes(0, 300))
    assert world.poll([*indexes(0, 200), "00310"]) == "suspect_drop"
    assert (world.events(), world.rows("SELECT sum(misses) FROM soc_sections")) == (["OPEN"], [(0,)])
    assert world.deliver() == [1]
    assert world.poll([*indexes(0, 299), "00310"]) == "accepted"
    assert world.rows("SELECT index_number FROM soc_sections WHERE misses > 0") == [("00299",)]
    assert world.rows("SELECT suspect_first FROM soc_campuses") == [(None,)]


def test_suspect_answers_that_agree_are_believed_after_enough_of_them_and_long_enough() -> None:
    world = world_with_catalogue(indexes(0, 300))
    world.poll(indexes(0, 300))
    verdicts = [world.poll(indexes(0, 200 + place % 2)) for place in range(8)]
    assert verdicts == ["suspect_drop"] * 5 + ["confirmed", "accepted", "accepted"]
    assert world.events() == ["CLOSED"] * 99
    assert world.rows("SELECT polled_at FROM soc_polls WHERE verdict = 'confirmed'") == [("2026-08-03T16:07:00.000Z",)]


def test_the_answer_that_is_believed_is_the_first_miss() -> None:
    world = world_with_catalogue(indexes(0, 300), confirm_polls=2, confirm_span=timedelta(minutes=1))
    world.poll(indexes(0, 300))
    assert [world.poll(indexes(0, 200)) for _ in range(2)] == ["suspect_drop", "confirmed"]
    assert world.rows("SELECT misses, count(*) FROM soc_sections GROUP BY 1") == [(0, 200), (1, 100)]
    world.poll(indexes(0, 200))
    assert len(world.events()) == 100


def test_suspect_answers_that_disagree_begin_a_new_run() -> None:
    world = world_with_catalogue(indexes(0, 300), confirm_polls=2, confirm_span=timedelta())
    world.poll(indexes(0, 300))
    assert world.poll(indexes(0, 200)) == "suspect_drop"
    assert world.poll(indexes(100, 300)) == "suspect_drop"
    assert world.poll(indexes(99, 300)) == "confirmed"


def test_only_the_campus_own_sections_make_its_count() -> None:
    world = world_with_catalogue(indexes(0, 300))
    world.poll(indexes(0, 5000))
    assert world.rows("SELECT listed_count, known_count FROM soc_polls") == [(5000, 300)]
    assert world.poll(indexes(200, 5000)) == "suspect_drop"


def test_what_opens_makes_up_for_what_closes() -> None:
    world = world_with_catalogue(indexes(0, 400))
    world.poll(indexes(0, 300))
    assert world.poll(indexes(100, 400)) == "accepted"
    assert world.rows("SELECT known_count FROM soc_polls ORDER BY id DESC LIMIT 1") == [(300,)]


def test_a_suspect_answer_that_comes_before_the_first_of_its_run_begins_a_new_run() -> None:
    world = world_with_catalogue(indexes(0, 300), confirm_polls=2, confirm_span=timedelta(minutes=1))
    world.poll(indexes(0, 300))
    assert world.poll(indexes(0, 200)) == "suspect_drop"
    assert world.poll(indexes(0, 200), after=-timedelta(hours=1)) == "suspect_drop"
    assert world.rows("SELECT suspect_polls FROM soc_campuses") == [(1,)]


# rule 8


def test_an_answer_that_shares_nothing_with_the_catalogue_is_rejected() -> None:
    world = world_with_catalogue(indexes(0, 30))
    world.subscribe("70000")
    assert world.poll(["70000", "80000"]) == "rejected"
    assert world.rows("SELECT DISTINCT status FROM soc_sections") == [("UNKNOWN",)]
    assert world.poll(["00000", "80000"]) == "accepted"
    assert world.run.failures.keys() == {"92026 NB"}


def test_without_a_catalogue_that_guard_rests(world: Any) -> None:
    world.poll(indexes(0, 10))
    assert world.poll(indexes(50, 60)) == "accepted"
