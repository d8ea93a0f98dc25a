"""Who is notified of an open section, now or later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plugins.soc_sections.world import INDEX, indexes, moment

from pollctl_soc_sections.model import Poll

OTHERS = indexes(10_000, 10_300)


# rule 2


def test_a_section_that_joins_the_catalogue_open_notifies_only_its_subscribers(world: Any) -> None:
    world.configure(catalogue_every=timedelta(days=1))
    world.catalogue(OTHERS)
    world.poll(OTHERS)
    world.subscribe("20001")
    world.catalogue([*OTHERS, "20001", "20002"])
    world.poll([*OTHERS, "20001", "20002"])

    assert world.rows("SELECT index_number, status_before FROM soc_open_events") == [("20001", "UNKNOWN")]
    assert world.fanned() == [(1, "pending")]


def test_unless_open_waits_for_the_next_opening(world: Any) -> None:
    world.subscribe(unless_open=1)
    for listed in ([INDEX], [INDEX], [], [*OTHERS], [*OTHERS]):
        world.poll([*listed, "10000"])
    assert world.fanned() == []
    world.poll([INDEX, "10000"])
    assert world.fanned() == [(1, "pending")]


def test_unless_open_is_not_notified_of_an_opening_before_the_subscription(world: Any) -> None:
    for listed in (["10000"], ["10000", INDEX]):
        world.poll(listed)
    world.subscribe("10000")
    world.subscribe(unless_open=1)
    world.poll(["10000", INDEX])
    assert world.deliver() == [1]


def test_a_new_subscriber_is_not_notified_of_a_section_that_is_being_missed(world: Any) -> None:
    world.poll([INDEX, "10000"])
    world.subscribe()
    world.poll(["10000"])
    assert (world.status(), world.fanned()) == ("OPEN", [])
    world.poll([INDEX, "10000"])
    assert world.fanned() == [(1, "pending")]


# rule 13


def test_450_subscriptions_in_chunks_of_200_are_450_rows(world: Any) -> None:
    for number in range(450):
        world.subscribe(contact=f"json://127.0.0.1/{number}")
    world.poll(["10000"])
    decisions = world.play(Poll(term="92026", campus="NB", content_hash="x", listed=frozenset({INDEX, "10000"})))

    assert world.rows("SELECT count(*), count(DISTINCT subscription_id) FROM soc_open_event_notifications") == [
        (450, 450)
    ]
    assert len(world.run.messages) == len({message.key for message in world.run.messages}) == 450
    assert [len(it.subscriptions) for it in decisions if type(it).__name__ == "FanOut"] == [450]


@pytest.mark.parametrize(
    ("status", "notified"),
    [("pending", 1), ("active", 1), ("paused", 0), ("suppressed", 0), ("unsubscribed", 0)],
)
def test_only_live_subscriptions_are_notified(world: Any, status: str, notified: int) -> None:
    world.subscribe(status=status)
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    assert len(world.fanned()) == notified


# rule 14


def test_a_window_is_meant_in_the_zone_of_the_schedule(world: Any) -> None:
    world.subscribe(window="12:02-12:02")
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    assert (world.run.timezone.key, world.fanned()) == ("America/New_York", [(1, "pending")])


def test_nobody_is_notified_of_a_section_that_closes_before_the_window_opens(world: Any) -> None:
    world.subscribe(window="12:05-13:00")
    notified = []
    for letter in "XOXXOO":
        world.poll(["10000", *([INDEX] if letter == "O" else [])])
        notified.append(world.deliver())
    assert notified == [[], [], [], [], [1], []]
    assert world.fanned() == [(1, "expired"), (1, "sent")]


@pytest.mark.parametrize(
    ("at", "fanned"),
    [
        ("2026-11-01T05:59:00Z", "pending"),  # 01:59 in summer time
        ("2026-11-01T06:00:00Z", "pending"),  # 01:00 once more
        ("2026-11-01T06:59:00Z", "pending"),
        ("2026-11-01T07:00:00Z", "deferred"),
        ("2027-03-14T06:59:00Z", "pending"),  # 01:59, and then 03:00
        ("2027-03-14T07:00:00Z", "deferred"),
    ],
)
def test_a_window_goes_by_the_clock_on_the_wall_in_the_nights_that_it_is_changed(
    world: Any, at: str, fanned: str
) -> None:
    world.subscribe(window="23:00-01:59")
    world.now = moment(at)
    world.poll([INDEX], after=timedelta())
    assert world.fanned() == [(1, fanned)]


def test_a_snoozed_subscription_is_notified_when_the_snooze_is_over(world: Any) -> None:
    world.subscribe(snooze_until="2026-08-03T16:04:00.000Z")
    for _ in range(3):
        world.poll([INDEX, "10000"])
        assert world.fanned() == [(1, "deferred")]
    world.poll([INDEX, "10000"])
    assert (world.fanned(), len(world.run.messages)) == ([(1, "pending")], 1)


def test_what_waits_does_not_go_out_on_an_answer_without_the_section(world: Any) -> None:
    world.subscribe(snooze_until="2026-08-03T16:02:00.000Z")
    world.poll([INDEX, "10000"])
    world.poll(["10000"])
    assert world.fanned() == [(1, "deferred")]
    world.poll(["10000", INDEX])
    assert world.fanned() == [(1, "pending")]


def test_what_waits_for_an_ended_subscription_is_expired(world: Any) -> None:
    world.subscribe(snooze_until="2027-01-01T00:00:00.000Z")
    world.poll([INDEX])
    world.db.execute("UPDATE soc_subscriptions SET status = 'unsubscribed'")
    world.poll([INDEX])
    assert world.fanned() == [(1, "expired")]


def test_what_waits_also_goes_out_when_the_answer_is_the_same(world: Any) -> None:
    world.subscribe(snooze_until="2026-08-03T16:02:00.000Z")
    world.subscribe("10000", contact="json://127.0.0.1/late", status="paused")
    world.poll([INDEX, "10000"])
    world.db.execute("UPDATE soc_subscriptions SET status = 'active'")
    world.same()
    assert world.fanned() == [(1, "pending"), (2, "pending")]


# rule 19


def test_a_resumed_subscription_is_notified_of_an_opening_it_missed(world: Any) -> None:
    number = world.subscribe(status="paused")
    world.poll(["10000"])
    world.poll(["10000", INDEX])
    world.db.execute("UPDATE soc_subscriptions SET status = 'active'")
    world.poll(["10000", INDEX])
    assert world.deliver() == [number]
    world.poll(["10000", INDEX])
    assert world.deliver() == []
