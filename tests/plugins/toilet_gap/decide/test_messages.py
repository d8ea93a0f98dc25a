"""Whose a message is, and messages and times that are not to be believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plugins.toilet_gap.place import ALARM, LATE, OBSERVED, OUTSIDE, PILOT, Place, body, queue_of

from pollctl_toilet_gap.decide.messages import subscriber_of
from pollctl_toilet_gap.fake import Fault
from pollctl_toilet_gap.model import Event, ParsedMessage, Receipt, Subscriber

AT = datetime(2025, 11, 12, 8, 30, tzinfo=UTC)


def subscriber(number: int, day: int, **more: Any) -> Subscriber:
    begins = AT.replace(day=day, hour=7, minute=0)
    facts: dict[str, Any] = {"subscriptions": ["s1"], "is_uncertain": False, "is_over": False, **more}
    return Subscriber(
        check_id=number,
        robot_id="r-1",
        event_name="TOILET_ACTIVITY",
        planned_at=begins,
        ends_at=begins + timedelta(hours=12),
        last_order=1,
        seen=[],
        quarantined=[],
        **facts,
    )


LOST: dict[str, Any] = {"subscriptions": [], "is_uncertain": True}


@pytest.mark.parametrize(
    ("subscribers", "found"),
    [
        ([subscriber(1, 12), subscriber(2, 13)], 1),
        ([subscriber(1, 10), subscriber(2, 11)], 2),
        ([subscriber(1, 12, **LOST), subscriber(2, 13, **LOST)], 1),
        ([subscriber(1, 12, **LOST, is_over=True)], None),
        ([subscriber(1, 12, is_over=True)], 1),
        ([subscriber(1, 12, subscriptions=[])], None),
    ],
    ids=[
        "the day in which it happened",
        "else the latest",
        "of two that may have lost a subscription",
        "none that is over and may have lost one",
        "one that is over by its subscription",
        "nobody's",
    ],
)
def test_a_message_belongs_to_one_check(subscribers: list[Subscriber], found: int | None) -> None:
    message = ParsedMessage(
        receipt=Receipt("m1", "handle"),
        subscription_id="s1",
        robot_id="r-1",
        event_name="TOILET_ACTIVITY",
        event=Event("e1", AT),
        body="{}",
    )
    chosen = subscriber_of(message, subscribers)
    assert (chosen.check_id if chosen else None) == found


# foreign messages

FOREIGN = {
    "another subscription": {"subscription": "sub-99"},
    "another robot": {"robot": "r-9"},
    "another event": {"name": "DOOR_OPENED"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_a_message_for_somebody_else_is_counted_and_deleted(queued: Place, foreign: dict[str, str]) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.push(body("08:30", **foreign))
    assert queued.run("08:31")["stats"]["foreign"] == 1
    assert (queued.happened(), queue.size) == ([], 0)


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_on_a_shared_queue_it_is_left(queued: Place, foreign: dict[str, str]) -> None:
    queue = queue_of(queued)
    queued.configure(shared_queue=True)
    queued.run("08:00")
    queue.push(body("08:30", **foreign))
    queue.push("something else altogether")
    queued.visit("08:29")
    assert queued.run("08:31")["stats"]["foreign"] == 2
    assert (queued.happened(), queue.size, queued.dead_letters()) == ([(OBSERVED, "08:29")], 2, [])


def test_poison_of_our_own_subscription_goes_from_a_shared_queue_too(queued: Place) -> None:
    queue = queue_of(queued)
    queued.configure(shared_queue=True)
    queued.run("08:00")
    queue.push(body("08:30", createdAt="soon"))
    queued.run("08:31", code=3)
    assert (len(queued.dead_letters()), queue.size) == (1, 0)


def test_poison_of_a_watched_robot_is_not_silent_on_a_shared_queue_but_left_there(queued: Place) -> None:
    queue = queue_of(queued)
    queued.configure(shared_queue=True)
    queued.run("08:00")
    queue.push(json.dumps({"sourceEvent": {"id": "e1", "robotId": "r-1", "eventName": "TOILET_ACTIVITY"}}))
    queue.push(json.dumps({"sourceEvent": {"id": "e2", "robotId": "r-9", "eventName": "TOILET_ACTIVITY"}}))
    report = queued.run("08:31", code=3)
    assert "event of r-1: it cannot be read" in report["error"]["message"]
    assert (queued.dead_letters(), queue.size) == (["subscriptionId is missing"], 2)


def test_after_a_crash_behind_the_post_what_comes_by_the_lost_subscription_still_counts(queued: Place) -> None:
    queued.service.faults["subscribe"] = Fault(status=0, is_done=True)
    queued.run("08:00")
    assert len(queued.service.subscriptions) == 1
    queued.service.faults.clear()
    queued.visit("08:00:30")
    queued.run("08:01", code=1)
    assert [made.id for made in queued.service.subscribed] == ["sub-1", "sub-2"]
    queued.run("08:02")
    assert queued.happened() == [(OBSERVED, "08:00:30")]


# poison, and times that are not to be believed


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    for text in ("boo", body("08:30", createdAt="2025-11-12T08:30:00"), body("08:31", id=None)):
        queue.push(text)
    queued.visit("08:32")
    report = queued.run("08:33", code=3)
    assert report["stats"]["dead_letters"] == 3
    assert (queued.happened(), queue.size) == ([(OBSERVED, "08:32")], 0)
    assert len(queued.dead_letters()) == 3
    assert any("names no zone" in reason for reason in queued.dead_letters())


@pytest.mark.parametrize(("at", "is_believed"), [("08:36", True), ("08:36:00.001", False)])
def test_an_event_more_than_five_minutes_ahead_is_quarantined(either: Place, at: str, *, is_believed: bool) -> None:
    either.run("08:00")
    either.visit(at)
    either.run("08:31")
    assert either.happened() == []
    assert len(either.dead_letters()) == (not is_believed)
    either.passes("08:40", "10:35:59")
    assert [name for name, _ in either.happened()] == ([OBSERVED] if is_believed else [ALARM])


def test_an_event_that_is_quarantined_is_not_believed_later_either_wherever_it_comes_from(either: Place) -> None:
    either.run("08:00")
    either.visit("09:50")
    if either.queue:
        either.run("08:30")
        assert len(either.dead_letters()) == 1
    else:
        either.run("09:00")
        assert "was ahead of" in either.dead_letters()[0]
    either.run("10:00")
    assert either.service.references == [f"1-{either.at('08:00')}"]
    assert either.happened() == [(ALARM, "10:00")]
    assert len(either.dead_letters()) == 1


def test_events_before_a_and_from_b_on_are_outside(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.push(body("07:59:59.999"))
    queued.visit("08:00")
    queued.run("08:01")
    assert queued.happened() == [(OUTSIDE, "07:59:59"), (OBSERVED, "08:00")]
    queued.passes("18:00", "19:59")
    queue.push(body("20:00"))
    queued.run("19:59:30")
    assert queued.window() == ("18:00", "20:00")
    queued.run("20:00")
    assert queued.happened()[-2:] == [(ALARM, "20:00"), (OUTSIDE, "20:00")]


def test_an_event_from_b_on_counts_after_all_if_b_becomes_later(queued: Place) -> None:
    queued.configure({**PILOT, "grace": "30m"})
    queued.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00", "18:30", "20:10"):
        queued.visit(at)
        queued.run(at)
    queued.configure({**PILOT, "end": "23:00", "grace": "30m"})
    queued.passes("20:15", "21:30")
    assert (queued.window(), queued.service.references) == (("20:10", "22:10"), [])


def test_what_comes_after_the_end_of_a_check_is_recorded_with_it(queued: Place) -> None:
    queue = queue_of(queued)
    queued.passes("08:00", "20:00")
    queue.push(body("19:30"))
    queue.push(body("20:01"))
    queued.run("20:02")
    assert queued.happened()[-2:] == [(LATE, "19:30"), (OUTSIDE, "20:01")]
    assert queue.size == 0


def test_a_day_with_both_monitors_on_one_queue(queued: Place) -> None:
    queued.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
    queued.run("08:00")
    queued.visit("08:30", robot_id="r-1")
    queued.visit("08:40", robot_id="r-2")
    queued.run("08:41")
    assert (queued.happened(1), queued.happened(2)) == ([(OBSERVED, "08:30")], [(OBSERVED, "08:40")])
