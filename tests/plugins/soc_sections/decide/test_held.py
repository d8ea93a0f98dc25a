"""Absence that was held is not forgotten, and nobody is left to believe that all is well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, MINUTE, NOON, OPERATORS, World, indexes, world_with_catalogue

from pollctl import to_text
from pollctl_soc_sections.model import CloseSection, Poll

OTHER = "10000"
HOUR = timedelta(hours=1)


def held_for(world: World, span: timedelta, step: timedelta = MINUTE) -> None:
    """A run of empty answers: its first comes a minute from now, its last *span* later."""
    world.poll([])
    end = world.now + span
    while world.now < end:
        world.poll([], after=min(step, end - world.now))


def opened(world: World) -> World:
    world.subscribe()
    world.poll([INDEX, OTHER])
    world.deliver()
    return world


# rule 8a


def test_a_day_of_empty_answers_between_two_sightings_is_two_notifications(world: Any) -> None:
    opened(world)
    held_for(world, timedelta(days=1), HOUR)
    assert world.events() == []
    assert world.poll([INDEX, OTHER]) == "accepted"
    message = world.run.messages[-1]
    assert (world.deliver(), world.events()) == ([1], ["CLOSED", "CLOSED", "OPEN", "OPEN"])
    assert (
        "It may have been open all along: there was no readable answer from 2026-08-03 12:02 EDT to 2026-08-04 12:03 EDT"
        in message.body.splitlines()
    )
    assert world.rows("SELECT fanout_status FROM soc_open_event_notifications ORDER BY event_id") == [("sent",)] * 2


@pytest.mark.parametrize(
    ("span", "closed"), [(timedelta(minutes=30), True), (timedelta(minutes=30, milliseconds=-1), False)]
)
def test_a_run_closes_what_was_absent_once_it_spans_doubt_after(world: Any, span: timedelta, closed: bool) -> None:
    opened(world)
    held_for(world, span)
    world.poll([OTHER])
    assert world.status() == ("CLOSED" if closed else "OPEN")


def test_why_a_run_has_closed_a_section_is_said_in_words(world: Any) -> None:
    opened(world)
    held_for(world, timedelta(hours=7))
    world.now += MINUTE
    decisions = world.play(Poll(term="92026", campus="NB", content_hash="other", listed=frozenset([OTHER])))
    reasons = [one.reason for one in decisions if isinstance(one, CloseSection)]
    assert reasons
    assert set(reasons) == {"in none of the answers that were held over 7 h"}


def test_a_failed_poll_neither_extends_nor_ends_a_run(world: Any) -> None:
    opened(world)
    world.poll([])
    world.fail(after=HOUR)
    world.poll([INDEX, OTHER])
    assert world.events() == []
    world.poll([])
    world.fail(after=15 * MINUTE)
    world.poll([], after=15 * MINUTE)
    world.poll([INDEX, OTHER])
    assert world.events() == ["CLOSED", "CLOSED", "OPEN", "OPEN"]


def test_an_answer_that_comes_too_soon_does_not_end_a_run(world: Any) -> None:
    opened(world)
    held_for(world, 30 * MINUTE)
    assert world.poll([INDEX, OTHER], after=timedelta(seconds=10)) == "too_soon"
    assert world.events() == []
    assert world.poll([INDEX, OTHER], after=timedelta(seconds=20)) == "accepted"
    assert world.events() == ["CLOSED", "CLOSED", "OPEN", "OPEN"]


def test_only_what_was_in_none_of_the_answers_closes() -> None:
    world = world_with_catalogue(indexes(0, 300), confirm_span=timedelta(days=2))
    world.poll(indexes(0, 300))
    for shift in range(31):
        world.poll(indexes(shift, 200))
    assert world.poll(indexes(0, 299)) == "accepted"
    assert world.rows("SELECT count(*), min(index_number) FROM soc_status_events WHERE status = 'CLOSED'") == [
        (100, "00200")
    ]
    assert world.rows("SELECT index_number FROM soc_sections WHERE status = 'CLOSED'") == [("00299",)]


def test_a_run_that_is_believed_at_last_closes_what_was_absent_from_all_of_it() -> None:
    world = world_with_catalogue(indexes(0, 300), confirm_span=timedelta(minutes=31))
    world.poll(indexes(0, 300))
    verdicts = [world.poll(indexes(0, 200)) for _ in range(32)]
    assert verdicts == [*["suspect_drop"] * 31, "confirmed"]
    assert world.events() == ["CLOSED"] * 100


def test_rejected_answers_are_held_too_and_the_next_is_read_though_it_is_the_same_as_before_them() -> None:
    world = world_with_catalogue([INDEX, OTHER])
    opened(world)
    assert {world.poll(["80000"]) for _ in range(31)} == {"rejected"}
    assert world.rows("SELECT settled_hash FROM soc_campuses") == [(None,)]
    assert world.poll([INDEX, OTHER]) == "accepted"
    assert world.events() == ["CLOSED", "CLOSED", "OPEN", "OPEN"]


def test_up_to_six_hours_only_those_who_were_not_told_before_are_told(world: Any) -> None:
    opened(world)
    world.subscribe(contact="json://127.0.0.1/quiet", window="01:00-02:00")
    world.subscribe(contact="json://127.0.0.1/next", unless_open=1)
    world.poll([INDEX, OTHER])
    held_for(world, 6 * HOUR, 10 * MINUTE)
    world.db.execute("UPDATE soc_subscriptions SET window = NULL")
    world.poll([INDEX, OTHER])
    assert world.deliver() == [2, 3]
    world.poll([INDEX, OTHER])
    world.same()
    held_for(world, HOUR)
    world.poll([INDEX, OTHER])
    world.poll([INDEX, OTHER])
    assert world.deliver() == []
    assert world.rows("SELECT fanout_status, is_spared FROM soc_open_event_notifications WHERE subscription_id = 2") == [
        ("expired", 0), ("sent", 0), ("expired", 1),
    ]  # fmt: skip


def test_after_more_than_six_hours_all_are_told(world: Any) -> None:
    opened(world)
    held_for(world, 6 * HOUR + timedelta(milliseconds=1), 10 * MINUTE)
    world.poll([INDEX, OTHER])
    assert world.deliver() == [1]


def test_such_a_message_does_not_count_towards_the_most(world: Any) -> None:
    world.subscribe(max_notifications=2)
    world.poll([INDEX, OTHER])
    world.deliver()
    for _ in range(2):
        held_for(world, 7 * HOUR, HOUR)
        world.poll([INDEX, OTHER])
        assert world.deliver() == [1]
    assert world.rows("SELECT sent_count, status FROM soc_subscriptions") == [(1, "active")]
    for listed in ([OTHER], [OTHER], [INDEX, OTHER]):
        world.poll(listed)
    assert world.deliver() == [1]
    assert world.rows("SELECT sent_count, status FROM soc_subscriptions") == [(2, "paused")]


def test_a_message_that_still_waits_when_the_run_ends_is_not_sent_beside_the_new_one(world: Any) -> None:
    world.subscribe()
    world.poll([INDEX, OTHER])
    held_for(world, HOUR)
    world.poll([INDEX, OTHER])
    assert [message.to == OPERATORS for message in world.run.messages] == [False, True, False]
    assert world.deliver() == [1]
    assert world.rows("SELECT fanout_status FROM soc_open_event_notifications ORDER BY event_id") == [
        ("expired",), ("sent",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("letters", "notified"),
    [("OXO", 1), ("OO", 0), ("OEO", 0), ("OFO", 0), ("OxO", 0)],
    ids=["missed", "never absent", "held", "failed", "too soon"],
)
def test_unless_open_is_told_of_what_an_accepted_answer_did_not_hold(world: Any, letters: str, notified: int) -> None:
    world.poll([INDEX, OTHER])
    world.subscribe(unless_open=1)
    for letter in letters:
        after = timedelta(seconds=10) if letter.islower() else MINUTE
        if letter == "F":
            world.fail()
        else:
            world.poll({"O": [INDEX, OTHER], "X": [OTHER], "E": []}[letter.upper()], after=after)
    assert len(world.deliver()) == notified


def test_an_absence_before_the_subscription_says_nothing_about_it(world: Any) -> None:
    world.poll([INDEX, OTHER])
    world.poll([OTHER])
    world.now += timedelta(seconds=30)
    world.subscribe(unless_open=1)
    world.poll([INDEX, OTHER], after=timedelta(seconds=30))
    assert world.deliver() == []


# rule 8b


def operators(world: World) -> Sequence[str]:
    return [message.title for message in world.run.messages if message.to == OPERATORS]


def test_a_long_run_makes_passes_partial_and_operators_hear_of_it_once(world: Any) -> None:
    opened(world)
    held_for(world, timedelta(minutes=29))
    assert (world.run.failures, operators(world)) == ({}, [])
    world.poll([])
    assert world.run.failures.keys() == {"92026 NB"}
    world.poll([])
    assert operators(world) == ["soc_sections: fall 2026 (92026) NB cannot be read since 2026-08-03 12:02 EDT"]
    assert world.rows("SELECT doubted_since FROM soc_campuses") == [("2026-08-03T16:02:00.000Z",)]
    world.poll([INDEX, OTHER])
    assert world.rows("SELECT doubted_since FROM soc_campuses") == [(None,)]
    world.deliver()
    world.run.failures.clear()
    held_for(world, timedelta(minutes=30))
    assert len(operators(world)) == 1


def test_an_upstream_that_is_down_is_one_message_however_many_campuses_it_has(world: Any) -> None:
    for _ in range(33):
        world.fail()
        world.fail(after=timedelta(), campus="NK")
    assert len(operators(world)) == 1
    assert world.rows("SELECT count(*) FROM soc_campuses WHERE doubted_since IS NOT NULL") == [(2,)]


def test_operators_hear_of_polls_that_have_all_failed_for_so_long(world: Any) -> None:
    world.poll([INDEX])
    world.fail()
    world.fail(after=timedelta(minutes=29))
    assert operators(world) == []
    world.fail()
    world.fail()
    (message,) = world.run.messages
    assert message.title == "soc_sections: fall 2026 (92026) NB cannot be read since 2026-08-03 12:02 EDT"
    assert message.body.splitlines()[0] == "Every poll failed since 2026-08-03 12:02 EDT, the last because: HTTP 500"
    world.deliver()
    assert world.rows("SELECT doubted_since FROM soc_campuses") == [(to_text(NOON + 2 * MINUTE),)]
    world.poll([INDEX])
    assert world.rows("SELECT doubted_since, failing_since FROM soc_campuses") == [(None, None)]
