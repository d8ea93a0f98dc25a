"""Subscriptions: the intent is stored first; they are made, renewed, tried again and ended."""

from __future__ import annotations

from typing import cast

import pytest
from plugins.toilet_gap.in_memory import BEGINS, ENDS, InMemoryRun, InMemoryWorld, settings_of
from plugins.toilet_gap.place import PILOT, Place, local

from pollctl import Run
from pollctl_toilet_gap.fake import Fault
from pollctl_toilet_gap.model import SubscribeResult
from pollctl_toilet_gap.store.settle import settle_subscription


def test_nothing_is_subscribed_before_a_and_then_it_is_until_b(place: Place) -> None:
    place.run("07:59")
    assert place.service.subscribed == []
    place.run("08:00")
    (made,) = place.service.subscribed
    assert (made.robot_id, made.event_names, made.until) == ("r-1", ("TOILET_ACTIVITY",), local("20:00"))
    assert place.check("subscription_id") == made.id
    assert [row["event_name"] for row in place.answer("records", "1")] == ["STARTED", "SUBSCRIBED"]
    place.run("08:01")
    assert len(place.service.subscribed) == 1


def test_the_intent_to_subscribe_is_stored_before_anyone_is_asked(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    assert place.check() == ("SETUP", None)
    assert place.sql("SELECT state, trouble FROM status_check_subscription") == [
        ("failed", "the event service answered 503")
    ]


def test_a_subscription_that_fails_is_tried_in_each_pass_and_the_window_begins_with_it(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    reports = [place.run(f"{hour:02}:00", code=1) for hour in range(9, 13)]
    assert all("check 1 is not subscribed: the event service answered 503" in str(report) for report in reports)
    assert (place.service.calls["subscribe"], place.service.references) == (5, [])
    place.service.faults.clear()
    place.run("12:30", code=1)
    assert (place.check("phase"), place.window()) == ("MONITORING", ("12:30", "14:30"))
    place.passes("14:29", "14:30")
    assert place.service.references == [f"1-{place.at('12:30')}"]


def test_a_subscription_within_the_tolerance_still_watches_from_a(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.service.faults.clear()
    place.run("08:02", code=1)
    assert (place.check("phase"), place.window()) == ("MONITORING", ("08:00", "10:00"))


def test_a_check_that_was_never_subscribed_until_b_has_failed(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.run("19:59", code=1)
    assert place.check() == ("SETUP", None)
    place.run("20:00", code=1)
    assert place.check() == ("COMPLETE", "FAILED")
    assert place.service.references == []


@pytest.mark.parametrize("body", [b"{}", b'{"id": ""}', b'{"id": ".."}', b"oops", b'{"id": null}'])
def test_a_subscription_whose_id_cannot_be_read_is_made_again(place: Place, body: bytes) -> None:
    place.service.faults["subscribe"] = Fault(status=201, body=body)
    place.run("08:00")
    assert place.check("phase") == "SETUP"
    place.service.faults.clear()
    place.run("08:01", code=1)
    assert (place.check("phase"), place.check("subscription_id")) == ("MONITORING", "sub-1")


def test_a_subscription_that_arrives_after_its_check_was_closed_is_ended_at_once(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.service.faults.clear()
    place.pollctl("toilet-gap", "close", "1", now=place.at("08:01"))
    place.run("08:02", code=1)
    assert (place.check(), place.service.subscriptions) == (("COMPLETE", "FAILED"), {})


def test_a_subscription_that_the_outbox_gave_up_is_wanted_again(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.sql("UPDATE status_check_subscription SET state = 'wanted'")
    place.sql("UPDATE outbox SET status = 'dead', delivered_at = NULL WHERE kind = 'subscribe'")
    place.service.faults.clear()
    place.run("08:01", code=1)
    assert place.check("phase") == "MONITORING"


def test_a_later_b_holds_at_once_and_the_subscription_is_renewed_without_a_hole(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "end": "21:00"})
    place.run("09:00")
    assert place.check("ends_at, subscription_id") == (place.at("21:00"), "sub-2")
    assert [(made.id, made.until) for made in place.service.subscribed] == [
        ("sub-1", local("20:00")),
        ("sub-2", local("21:00")),
    ]
    assert list(place.service.subscriptions) == ["sub-2"]
    place.passes("20:00", "20:59")
    assert place.check() == ("MONITORING", None)
    place.run("21:00")
    assert place.check() == ("COMPLETE", "ALARM_RAISED")
    assert place.service.subscriptions == {}


def test_a_renewal_that_is_answered_with_the_id_known_already_is_not_ended(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "end": "21:00"})
    place.service.subscribed.clear()  # so that it counts from 1 again
    place.run("09:00")
    assert [(made.id, made.until) for made in place.service.subscriptions.values()] == [("sub-1", local("21:00"))]
    place.passes("10:00", "21:00")
    assert place.check() == ("COMPLETE", "ALARM_RAISED")
    assert place.service.subscriptions == {}


def test_a_renewal_that_fails_keeps_the_old_subscription_until_it_succeeds(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "end": "21:00"})
    place.service.faults["subscribe"] = Fault()
    place.run("09:00")
    assert list(place.service.subscriptions) == ["sub-1"]
    place.service.faults.clear()
    place.run("09:01")
    assert list(place.service.subscriptions) == ["sub-2"]
    assert place.check("subscription_id") == "sub-2"


def test_a_subscription_that_is_made_when_its_check_is_over_is_ended_at_once() -> None:
    world = InMemoryWorld(settings_of(1800), [])
    world.run(BEGINS)
    world.run(ENDS)
    run = InMemoryRun(world, ENDS)
    settle_subscription(world.db, 1, SubscribeResult(id="sub-2", is_uncertain=True), cast("Run", run))
    assert [kind for kind, _, _ in run.effects] == ["unsubscribe"]
    assert world.db.execute("SELECT phase FROM status_check").fetchall() == [("COMPLETE",)]
    world.close()
