"""Subscriptions to all sections of a course."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plugins.soc_sections.world import NOON, World, catalogue_section, moment

from pollctl_soc_sections import queries
from pollctl_soc_sections.model import Poll
from pollctl_soc_sections.model.identifiers import current_term

COURSE, OTHER = "01:198:111", "01:640:151"
ONE, TWO, THREE, ELSE = "00001", "00002", "00003", "00900"


@pytest.fixture
def campus() -> World:
    """A course of two sections and another course, all of them full."""
    world = World()
    world.describe([catalogue_section(ONE), catalogue_section(TWO), catalogue_section(ELSE, OTHER)])
    world.poll([])
    return world


def test_one_message_names_all_that_opened_in_one_pass(campus: World) -> None:
    number = campus.follow()
    campus.poll([ONE, TWO, ELSE])
    (message,) = campus.run.messages
    assert message.title == "Open: 01:198:111 INTRO (2 sections)"
    assert [line for line in message.body.splitlines() if "index " in line] == [
        "Section 01, index 00001, campus NB, fall 2026 (92026)",
        "Section 01, index 00002, campus NB, fall 2026 (92026)",
    ]
    assert message.body.count("https://sims.rutgers.edu/webreg/") == 2
    assert campus.deliver() == [number]
    assert campus.fanned() == [(number, "sent")] * 2
    assert campus.rows("SELECT sent_count FROM soc_subscriptions") == [(1,)]
    campus.poll([ONE, TWO, ELSE])
    assert campus.deliver() == []


def test_sections_that_a_later_catalogue_adds_are_followed_too(campus: World) -> None:
    campus.follow()
    campus.describe([catalogue_section(index) for index in (ONE, TWO, THREE)])
    campus.poll([THREE])
    assert [message.title for message in campus.run.messages] == ["Open: 01:198:111 INTRO (00003)"]


def test_cross_listed_twins_are_followed_too(campus: World) -> None:
    campus.follow()
    campus.describe([catalogue_section(ONE, COURSE, ELSE), catalogue_section(ELSE, OTHER, ONE)])
    campus.poll([ELSE])
    assert [message.title for message in campus.run.messages] == ["Open: 01:640:151 INTRO (00900)"]


def test_a_course_may_be_followed_before_any_catalogue_names_it() -> None:
    world = World()
    number = world.follow()
    assert [row["unresolved"] for row in queries.subscriptions(world.db)] == [True]
    world.describe([catalogue_section(ONE)])
    world.poll([ONE])
    assert world.deliver() == [number]
    assert [(row["unresolved"], row["section_status"]) for row in queries.subscriptions(world.db)] == [(False, "OPEN")]


def test_a_new_follower_is_told_once_of_what_is_open_unless_that_is_not_wanted(campus: World) -> None:
    campus.poll([ONE])
    campus.deliver()
    number = campus.follow()
    campus.follow(contact="json://127.0.0.1/later", unless_open=1)
    campus.poll([ONE])
    assert campus.deliver() == [number]
    campus.poll([TWO, ONE])
    assert campus.deliver() == [1, 2]


def test_a_course_and_one_of_its_sections_are_two_subscriptions(campus: World) -> None:
    campus.follow()
    campus.subscribe(ONE)
    campus.poll([ONE])
    assert sorted(campus.deliver()) == [1, 2]


def test_what_waits_for_the_window_goes_out_as_one_and_without_what_closed_meanwhile(campus: World) -> None:
    campus.describe([catalogue_section(index) for index in (ONE, TWO, THREE)])
    campus.follow(window="12:06-13:00")
    campus.poll([ONE])
    campus.poll([ONE, TWO])
    campus.poll([TWO, ONE, THREE])
    campus.poll([TWO, THREE])
    assert campus.run.messages == []
    campus.poll([TWO, THREE])
    (message,) = campus.run.messages
    assert message.title == "Open: 01:198:111 INTRO (2 sections)"
    assert campus.deliver() == [1]
    assert campus.fanned() == [(1, "expired"), (1, "sent"), (1, "sent")]


def test_a_message_of_which_a_part_closed_is_not_sent_and_the_rest_is_told_again(campus: World) -> None:
    campus.follow()
    campus.poll([ONE, TWO, ELSE])
    late, campus.run.messages = campus.run.messages, []
    campus.poll([TWO, ELSE])
    campus.poll([TWO, ELSE])
    campus.run.messages = late
    assert campus.deliver() == []
    assert campus.fanned() == [(1, "expired"), (1, "deferred")]
    campus.poll([TWO, ELSE])
    assert [message.title for message in campus.run.messages] == ["Open: 01:198:111 INTRO (00002)"]
    assert (campus.deliver(), campus.fanned()) == ([1], [(1, "expired"), (1, "sent")])


def test_followers_in_chunks_are_all_told_of_all(campus: World) -> None:
    campus.configure(chunk=3)
    for number in range(10):
        campus.follow(contact=f"json://127.0.0.1/{number}")
    campus.poll([ONE, TWO])
    assert (len(campus.fanned()), len(campus.run.messages)) == (20, 10)


# terms that roll with the calendar


@pytest.mark.parametrize(
    ("at", "term"),
    [
        ("2026-01-15T23:59:00-05:00", "02026"), ("2026-01-16T00:00:00-05:00", "12026"),
        ("2026-05-15T23:59:00-04:00", "12026"), ("2026-05-16T00:00:00-04:00", "72026"),
        ("2026-08-15T23:59:00-04:00", "72026"), ("2026-08-16T00:00:00-04:00", "92026"),
        ("2026-12-15T23:59:00-05:00", "92026"), ("2026-12-16T00:00:00-05:00", "02027"),
        ("2026-12-31T23:59:00-05:00", "02027"), ("2027-01-01T00:00:00-05:00", "02027"),
    ],
)  # fmt: skip
def test_the_current_term_rolls_with_the_calendar_at_rutgers(at: str, term: str) -> None:
    assert current_term(moment(at)) == term


def test_the_polled_terms_roll_too(world: Any) -> None:
    world.configure(terms=("current", "92026"), campuses=("NB",))
    assert world.run.settings.polled(NOON) == [("72026", "NB"), ("92026", "NB")]
    assert world.run.settings.polled(NOON + timedelta(days=30)) == [("92026", "NB")]


def test_a_course_is_followed_on_in_the_next_term() -> None:
    world = World()
    world.now = moment("2026-05-15T12:00:00Z")
    number = world.follow(term="12026", is_rolling=1)
    world.follow(term="12026", contact="json://127.0.0.1/stays")
    world.describe([catalogue_section(ONE)], term="72026")
    for day, expected in ((0, ["12026", "12026"]), (1, ["72026", "12026"])):
        world.now = moment("2026-05-15T12:00:00Z") + timedelta(days=day)
        world.play(Poll(term="72026", campus="NB", content_hash=str(day), listed=frozenset([ONE])))
        assert [term for (term,) in world.rows("SELECT term FROM soc_subscriptions ORDER BY id")] == expected
    world.now += timedelta(minutes=1)
    world.play(Poll(term="72026", campus="NB", content_hash="more", listed=frozenset([ONE])))
    assert world.deliver() == [number]
    assert world.rows("SELECT kind, detail FROM soc_subscription_events ORDER BY id LIMIT 1") == [
        ("rolled over", "summer 2026 (72026) has become the current term")
    ]
