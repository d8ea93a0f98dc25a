"""How a check ends: when its day does, early, or abandoned."""

from __future__ import annotations

from plugins.toilet_gap.place import OBSERVED, PILOT, Place

from pollctl_toilet_gap.fake import Fault


def test_the_day_ends_at_b_and_not_a_second_earlier(either: Place) -> None:
    either.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00"):
        either.visit(at)
        either.run(at)
    either.visit("19:00")
    either.run("19:59:59")
    assert either.check() == ("MONITORING", None)
    assert len(either.service.subscriptions) == 1
    either.run("20:00")
    assert either.check() == ("COMPLETE", "SUCCESS")
    assert either.sql("SELECT count(*) FROM status_check_poller") == [(0,)]
    assert either.service.subscriptions == {}


def test_a_day_with_an_alarm_ends_as_alarm_raised(place: Place) -> None:
    place.passes("08:00", "20:00")
    assert place.check() == ("COMPLETE", "ALARM_RAISED")
    assert len(place.service.references) == 6
    place.run("20:01")
    assert len(place.service.references) == 6


def test_with_grace_the_day_ends_that_much_after_b(place: Place) -> None:
    place.configure({**PILOT, "grace": "5m"})
    place.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00"):
        place.visit(at)
    place.passes("18:05", "20:04:59")
    assert (place.check(), place.service.references) == (("MONITORING", None), [])
    place.visit("19:59")
    place.run("20:05")
    assert (place.check(), place.service.references) == (("COMPLETE", "SUCCESS"), [])


def test_an_outage_over_b_is_folded_up_to_b_first(either: Place) -> None:
    either.run("08:00")
    for at in ("09:00", "11:00", "13:00", "15:00"):
        either.visit(at)
    either.run("22:00")
    assert either.service.references == [f"1-{either.at('15:00')}", f"1-{either.at('17:00')}"]
    assert either.check() == ("COMPLETE", "ALARM_RAISED")
    assert either.service.subscriptions == {}


def test_a_check_without_a_history_is_abandoned_an_hour_after_its_end(place: Place) -> None:
    place.run("08:00")
    place.service.faults["history"] = Fault()
    place.run("20:00", code=1)
    place.run("20:59:59", code=1)
    assert place.check() == ("MONITORING", None)
    place.run("21:00", code=1)
    assert place.check() == ("COMPLETE", "ABANDONED")
    assert (place.service.subscriptions, place.service.references) == ({}, [])
    assert "ABANDONED statusCheckId=1" in place.stderr


def test_with_grace_it_is_abandoned_that_much_later(place: Place) -> None:
    place.configure({**PILOT, "grace": "5m"})
    place.run("08:00")
    place.service.faults["history"] = Fault()
    place.run("21:04:59", code=1)
    assert place.check() == ("MONITORING", None)
    place.run("21:05", code=1)
    assert place.check() == ("COMPLETE", "ABANDONED")


def test_a_monitor_that_disappears_is_folded_up_to_now_and_ended_by_its_alarms(place: Place) -> None:
    place.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
    place.run("08:00")
    place.visit("09:00", robot_id="r-1")
    place.configure({**PILOT, "name": "third", "robot_id": "r-3", "start": "23:00", "end": "23:30", "gap": "30m"})
    place.run("10:30")
    assert place.sql("SELECT monitor, result FROM status_check ORDER BY id") == [
        ("pilot", "SUCCESS"),
        ("second", "ALARM_RAISED"),
    ]
    assert place.service.references == [f"2-{place.at('08:00')}"]
    assert place.service.subscriptions == {}


def test_a_monitor_that_comes_back_on_the_same_day_is_not_silently_unwatched(place: Place) -> None:
    other = {**PILOT, "name": "second", "robot_id": "r-2"}
    place.configure(PILOT, other)
    place.run("08:00")
    place.configure(other)
    place.run("08:30")
    place.configure(PILOT, other)
    report = place.run("08:31", code=3)
    assert "pilot: check 1 ended before its day did, so it is not watched until" in report["error"]["message"]
    assert "another name" in report["error"]["message"]
    place.configure({**PILOT, "name": "pilot again"}, other)
    place.run("08:32")
    assert place.check("monitor, phase", 3) == ("pilot again", "MONITORING")


def test_a_check_that_was_closed_by_hand_is_not_an_error(place: Place) -> None:
    place.run("08:00")
    place.pollctl("toilet-gap", "close", "1", now=place.at("09:00"))
    place.passes("09:01", "09:02")


def test_close_ends_a_check_with_the_next_pass(place: Place) -> None:
    place.passes("08:00", "08:30")
    place.visit("08:40")
    assert (
        "the next pass ends check 1" in place.pollctl("toilet-gap", "close", "1", now=place.at("09:00")) + place.stderr
    )
    place.run("09:01")
    assert (place.check(), place.happened()) == (("COMPLETE", "SUCCESS"), [(OBSERVED, "08:40")])
    assert place.service.subscriptions == {}
    place.run("09:02")
    assert place.sql("SELECT count(*) FROM status_check") == [(1,)]


def test_what_waited_when_a_check_was_closed_is_recorded_as_late(queued: Place) -> None:
    queued.configure({**PILOT, "grace": "30m"})
    queued.run("08:00")
    queued.visit("10:05")
    queued.run("10:10")
    assert queued.happened() == []
    queued.pollctl("toilet-gap", "close", "1", now=queued.at("10:11"))
    queued.run("10:12")
    assert queued.happened() == [("EVENT_LATE", "10:05")]
    assert queued.sql("SELECT count(*) FROM status_check_incoming") == [(0,)]
