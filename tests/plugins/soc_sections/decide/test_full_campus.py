"""An answer without any section of its campus: is the campus full, or is it of another term?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plugins.soc_sections.world import MINUTE, World, indexes, world_with_catalogue

NB = indexes(1, 60)
ONLINE = indexes(900, 906)
NB_OPEN = indexes(1, 40)


def two_campuses(**changes: Any) -> World:
    """New Brunswick and its small online campus; both catalogues have been read."""
    world = world_with_catalogue(NB, **changes)
    world.catalogue(ONLINE, "ONLINE_CM")
    return world


def poll_both(world: World, listed: list[str], after: timedelta = MINUTE) -> list[str]:
    """A pass: the same answer for both, because the upstream ignores the campus."""
    return [
        world.poll(listed, after=after, campus="NB"),
        world.poll(listed, after=timedelta(seconds=1), campus="ONLINE_CM"),
    ]


def test_a_campus_that_was_full_for_a_day_is_heard_of_again() -> None:
    world = two_campuses()
    number = world.subscribe("00900", "ONLINE_CM", unless_open=1)
    assert poll_both(world, [*NB_OPEN, "00900", "00901"]) == ["accepted", "accepted"]
    assert poll_both(world, NB_OPEN) == ["accepted", "accepted"]
    assert world.status("00900") == "OPEN"
    assert poll_both(world, NB_OPEN) == ["accepted", "accepted"]
    assert (world.status("00900"), world.status("00901")) == ("CLOSED", "CLOSED")
    for _ in range(24):
        assert poll_both(world, NB_OPEN, timedelta(hours=1)) == ["accepted", "accepted"]
    assert poll_both(world, [*NB_OPEN, "00900"]) == ["accepted", "accepted"]
    assert world.deliver() == [number]
    assert world.events() == ["CLOSED", "CLOSED", "OPEN"]
    assert world.run.failures == {}


def test_on_first_sight_of_a_full_campus_absent_sections_are_closed() -> None:
    world = two_campuses()
    world.poll([*NB_OPEN, "00900"])
    assert world.poll([*NB_OPEN, "00777"], campus="ONLINE_CM") == "accepted"
    assert {world.status(index) for index in ONLINE} == {"CLOSED"}


@pytest.mark.parametrize(
    ("shared", "verdict"), [(37, "accepted"), (36, "accepted"), (35, "rejected")], ids=["more", "90 percent", "less"]
)
def test_a_full_campus_holds_90_percent_of_what_the_other_listed(shared: int, verdict: str) -> None:
    world = two_campuses()
    assert world.poll([*indexes(1, 40), "00900"]) == "accepted"  # forty, one of them of another campus
    assert world.poll([*indexes(1, shared + 1), *indexes(5000, 5100)], campus="ONLINE_CM") == verdict


@pytest.mark.parametrize(("size", "verdict"), [(10, "accepted"), (9, "rejected")])
def test_the_other_campus_must_have_listed_ten_sections(size: int, verdict: str) -> None:
    world = two_campuses()
    world.poll([*indexes(1, size), "00900"])
    assert world.poll([*indexes(1, size), "00777"], campus="ONLINE_CM") == verdict


@pytest.mark.parametrize(("extra", "verdict"), [(timedelta(), "accepted"), (timedelta(milliseconds=1), "rejected")])
def test_the_other_answer_must_not_be_older_than_a_catalogue_may_be(extra: timedelta, verdict: str) -> None:
    world = two_campuses(catalogue_every=timedelta(hours=6))
    world.poll([*NB_OPEN, "00900"])
    assert world.poll(NB_OPEN, campus="ONLINE_CM", after=timedelta(hours=6) + extra) == verdict


def test_an_answer_that_is_the_same_keeps_the_other_campus_fresh() -> None:
    world = two_campuses(catalogue_every=timedelta(hours=6))
    world.poll([*NB_OPEN, "00900"])
    world.same(after=timedelta(hours=5))
    assert world.poll(NB_OPEN, campus="ONLINE_CM", after=timedelta(hours=5)) == "accepted"


def test_where_no_answer_held_sections_of_another_campus_the_answer_is_of_the_wrong_one() -> None:
    world = two_campuses()
    world.poll(NB_OPEN)
    assert world.poll(NB_OPEN, campus="ONLINE_CM") == "rejected"
    assert world.run.failures.keys() == {"92026 ONLINE_CM"}


def test_the_other_campus_proves_it_once_and_is_held_against_its_latest_answer() -> None:
    world = two_campuses()
    world.poll([*NB_OPEN, "00900"])
    world.poll(indexes(20, 60))
    assert world.poll(NB_OPEN, campus="ONLINE_CM") == "rejected"
    assert world.poll(indexes(20, 60), campus="ONLINE_CM") == "accepted"


def test_a_campus_of_another_term_proves_nothing() -> None:
    world = two_campuses()
    world.poll([*NB_OPEN, "00900"])
    world.db.execute("UPDATE soc_campuses SET term = '12027' WHERE campus = 'NB'")
    world.db.execute("UPDATE soc_answers SET term = '12027'")
    assert world.poll(NB_OPEN, campus="ONLINE_CM") == "rejected"


def test_a_full_campus_is_judged_like_any_other_a_sharp_fall_is_held() -> None:
    world = world_with_catalogue(NB)
    world.catalogue(indexes(900, 940), "CM")
    both = [*NB_OPEN, *indexes(900, 930)]
    world.poll(both)
    world.poll(both, campus="CM")
    world.poll(NB_OPEN)  # too little of `both` for a fall of this campus: 39 of 69
    assert [world.poll(NB_OPEN, campus="CM") for _ in range(6)] == ["suspect_drop"] * 5 + ["confirmed"]
