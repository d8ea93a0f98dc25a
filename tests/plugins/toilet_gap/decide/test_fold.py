"""The rules on the example day: Europe/Amsterdam, 2025-11-12, 08:00 to 20:00, a gap of two hours, check 7."""

from __future__ import annotations

import pytest
from plugins.toilet_gap.place import PILOT, Place, local

from pollctl_toilet_gap.fake import Fault

OBSERVED, LATE, ALARM = "EVENT_OBSERVED", "EVENT_LATE", "ALARM_SENT"


# days and subscriptions


def test_the_first_pass_from_a_on_makes_one_check_with_its_window(place: Place) -> None:
    place.passes("07:59", "08:00", "08:01")
    assert place.check("monitor, robot_id, local_date, phase, result") == (
        "pilot", "r-1", "2025-11-12", "MONITORING", None,
    )  # fmt: skip
    assert place.check("planned_at, ends_at") == (place.at("08:00"), place.at("20:00"))
    assert place.window() == ("08:00", "10:00")


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


def test_a_first_pass_at_eleven_watches_from_eleven_and_says_late(place: Place) -> None:
    place.run("11:00")
    assert place.window() == ("11:00", "13:00")
    assert place.answer("records", "1")[0]["result"] == "late"
    place.passes("12:59", "13:00")
    assert place.service.references == [f"1-{place.at('11:00')}"]


@pytest.mark.parametrize(("first", "since"), [("08:02:00", "08:00"), ("08:02:01", "08:02:01")])
def test_the_tolerance_is_two_minutes_to_the_second(place: Place, first: str, since: str) -> None:
    place.run(first)
    assert place.window()[0] == since


# visits and alarms


def test_a_visit_begins_the_next_window(either: Place) -> None:
    either.run("08:00")
    either.visit("09:30")
    either.run("09:31")
    assert (either.happened(), either.window()) == ([(OBSERVED, "09:30")], ("09:30", "11:30"))


def test_a_window_is_clamped_to_b(place: Place) -> None:
    place.run("08:00")
    place.visit("18:30")
    place.visit("17:00")
    for hour in (10, 12, 14, 16):
        place.visit(f"{hour:02}:00")
    place.run("18:31")
    assert place.window() == ("18:30", "20:00")


def test_without_a_visit_one_alarm_at_ten_another_at_twelve_each_once(either: Place) -> None:
    either.first_check_is(7)
    either.passes("08:00", "09:59")
    assert either.service.references == []
    either.passes("10:00", "10:01", "10:30")
    assert either.service.references == ["7-2025-11-12T07:00:00.000Z"]
    assert either.service.posted[0]["providerName"] == "pollctl"
    assert (either.service.posted[0]["eventName"], either.service.posted[0]["level"]) == (
        "NO_TOILET_ACTIVITY_ALARM", 10,
    )  # fmt: skip
    assert either.window() == ("10:00", "12:00")
    either.run("12:07")
    assert either.service.references == ["7-2025-11-12T07:00:00.000Z", "7-2025-11-12T09:00:00.000Z"]
    assert either.window() == ("12:00", "14:00")
    assert either.happened() == [(ALARM, "10:00"), (ALARM, "12:00")]


def test_the_last_window_needs_its_whole_gap_before_b(place: Place) -> None:
    place.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00", "18:30"):
        place.visit(at)
    place.passes("19:59", "20:00")
    assert (place.service.references, place.check()) == ([], ("COMPLETE", "SUCCESS"))


@pytest.mark.parametrize(
    ("end", "references"), [("19:30", []), ("20:00", ["18:00"])], ids=["an hour and a half", "two hours"]
)
def test_a_day_that_ends_before_the_gap_does_raises_nothing(place: Place, end: str, references: list[str]) -> None:
    place.configure({**PILOT, "end": end})
    place.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00"):
        place.visit(at)
    place.run(end)
    assert place.service.references == [f"1-{place.at(since)}" for since in references]
    assert place.check("result") == ("ALARM_RAISED" if references else "SUCCESS")


def test_a_visit_at_exactly_the_end_of_a_window_counts(either: Place) -> None:
    either.run("08:00")
    either.visit("10:00")
    either.run("10:00")
    assert (either.service.references, either.window()) == ([], ("10:00", "12:00"))
    assert either.happened() == [(OBSERVED, "10:00")]


def test_a_visit_a_millisecond_after_the_end_of_a_window_comes_too_late(place: Place) -> None:
    place.run("08:00")
    place.visit("10:00:00.001")
    place.run("10:01")
    assert [name for name, _ in place.happened()] == [ALARM, OBSERVED]


def test_a_visit_at_exactly_b_is_outside_so_that_the_window_before_it_ends_with_an_alarm(place: Place) -> None:
    place.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00", "20:00"):
        place.visit(at)
    place.run("20:00")
    assert place.service.references == [f"1-{place.at('18:00')}"]


# the end of a day


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


# order, duplicates, lateness


def test_an_earlier_visit_in_a_later_pass_is_late_and_moves_nothing(either: Place) -> None:
    either.run("08:00")
    either.visit("09:40")
    either.run("09:41")
    either.visit("09:30")
    either.run("09:42")
    assert either.happened() == [(OBSERVED, "09:40"), (LATE, "09:30")]
    assert either.window() == ("09:40", "11:40")


def test_within_one_pass_visits_are_sorted_by_their_time(either: Place) -> None:
    either.run("08:00")
    for at in ("09:40", "09:10", "09:30"):
        either.visit(at)
    either.run("09:41")
    assert either.happened() == [(OBSERVED, "09:10"), (OBSERVED, "09:30"), (OBSERVED, "09:40")]


def test_a_pass_that_comes_late_raises_the_alarm_first_and_then_sees_the_visit(either: Place) -> None:
    either.run("08:00")
    either.visit("10:03")
    either.run("10:05")
    assert either.happened() == [(ALARM, "10:00"), (OBSERVED, "10:03")]
    assert either.service.references == [f"1-{either.at('08:00')}"]
    assert either.window() == ("10:03", "12:03")


def test_the_same_event_from_queue_and_history_after_a_slide_and_in_a_later_pass_is_one_record(queued: Place) -> None:
    assert queued.queue
    queued.run("08:00")
    queued.queue.is_holding = True
    queued.visit("09:30")
    queued.queue.release(times=3)
    queued.run("09:31")
    queued.queue.is_holding = True
    queued.visit("09:45")
    queued.queue.release(times=2)
    queued.run("09:46")
    queued.service.push = queued.queue.push
    queued.queue.push(
        '{"subscriptionId": "sub-1", "sourceEvent": {"id": "r-1@2025-11-12T08:30:00.000Z", "robotId": "r-1",'
        ' "eventName": "TOILET_ACTIVITY", "createdAt": "2025-11-12T08:30:00.000Z"}}'
    )
    assert queued.run("11:45")["stats"]["duplicates"] == 1
    assert queued.happened() == [(OBSERVED, "09:30"), (OBSERVED, "09:45"), (ALARM, "11:45")]


def test_a_visit_that_arrives_after_its_alarm_is_late_and_the_alarm_stands(either: Place) -> None:
    either.passes("08:00", "10:00")
    either.visit("09:50")
    either.passes("10:30", "12:00")
    assert sorted(either.happened()) == sorted([(ALARM, "10:00"), (LATE, "09:50"), (ALARM, "12:00")])
    assert either.service.references == [f"1-{either.at('08:00')}", f"1-{either.at('10:00')}"]


def test_a_visit_at_the_end_of_a_window_whose_alarm_went_out_is_late(place: Place) -> None:
    place.passes("08:00", "10:00")
    place.visit("10:00")
    place.run("10:01")
    assert place.happened() == [(ALARM, "10:00"), (LATE, "10:00")]
    assert place.window() == ("10:00", "12:00")


# grace


def test_grace_delays_the_verdict_so_that_a_visit_on_its_way_still_counts(either: Place) -> None:
    either.configure({**PILOT, "grace": "5m"})
    either.passes("08:00", "10:00", "10:04:59")
    assert either.service.references == []
    either.visit("09:58")
    either.run("10:05")
    assert (either.happened(), either.window()) == ([(OBSERVED, "09:58")], ("09:58", "11:58"))


def test_after_the_grace_the_alarm_goes_out_and_what_came_after_the_window_follows_it(either: Place) -> None:
    either.configure({**PILOT, "grace": "5m"})
    either.run("08:00")
    either.visit("10:02")
    either.run("10:03")
    assert either.happened() == []
    either.run("10:05")
    assert either.happened() == [(ALARM, "10:00"), (OBSERVED, "10:02")]
    assert either.window() == ("10:02", "12:02")


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


# before any alarm the history is read


def test_a_visit_that_only_the_history_knows_prevents_the_alarm(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("09:50", is_pushed=False)
    queued.passes("09:59", "10:00")
    assert (queued.service.references, queued.window()) == ([], ("09:50", "11:50"))
    assert queued.service.calls["history"] == 1
    assert queued.service.created_since[0] <= local("08:00").timestamp()


def test_with_a_queue_the_history_is_asked_only_before_an_alarm(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("09:30")
    queued.passes("09:31", "10:00", "11:29")
    assert queued.service.calls["history"] == 0
    queued.run("11:30")
    assert queued.service.calls["history"] == 1


def test_without_its_history_no_alarm_goes_out_the_pass_fails_and_says_why(either: Place) -> None:
    either.run("08:00")
    either.service.faults["history"] = Fault()
    report = either.run("10:00", code=1)
    assert report["outcome"] == "failed"
    assert "the history of check 1 cannot be read: the event service answered 503" in report["error"]["message"]
    assert (either.service.references, either.window()) == ([], ("08:00", "10:00"))
    either.service.faults.clear()
    either.run("10:20")
    assert either.service.references == [f"1-{either.at('08:00')}"]
    assert either.window() == ("10:00", "12:00")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=200, body=b"<html>sorry</html>"),
        Fault(status=200, body=b'{"items": []}'),
        Fault(status=200, body=b'[{"id": "e1"}'),
        Fault(status=0),
        Fault(status=404),
    ],
    ids=["a page", "an object", "no JSON", "cut off", "not found"],
)
def test_a_history_that_is_none_is_no_reason_for_an_alarm(place: Place, fault: Fault) -> None:
    place.run("08:00")
    place.service.faults["history"] = fault
    place.run("10:00", code=1)
    assert place.service.references == []


def test_if_the_settings_allow_it_a_queue_that_was_read_to_its_end_is_enough(queued: Place) -> None:
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    queued.run("10:00", code=1)
    assert queued.service.references == [f"1-{queued.at('08:00')}"]


def test_even_then_a_queue_that_cannot_be_read_raises_nothing(queued: Place) -> None:
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    queued.configure(endpoint_url="http://127.0.0.1:9")
    report = queued.run("10:00", code=1)
    assert "queue" in report["error"]["message"]
    assert queued.service.references == []


# outages


def test_after_an_outage_the_alarms_come_in_their_order_as_if_every_pass_had_run(either: Place) -> None:
    either.passes("08:00", "08:05")
    either.visit("11:10", is_pushed=False)
    either.run("15:30")
    sinces = [either.at(at) for at in ("08:00", "11:10", "13:10")]
    assert either.service.references == [f"1-{since}" for since in sinces]
    assert either.happened() == [(ALARM, "10:00"), (OBSERVED, "11:10"), (ALARM, "13:10"), (ALARM, "15:10")]


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


def test_a_whole_day_without_a_pass_makes_no_check_and_is_told_once(place: Place) -> None:
    place.passes("08:00", "20:00")
    place.run("2025-11-15 09:00")
    assert "missed the whole day 2025-11-13 of monitor pilot" in place.stderr
    assert "missed the whole day 2025-11-14 of monitor pilot" in place.stderr
    place.run("2025-11-15 09:01")
    assert "missed" not in place.stderr
    assert place.sql("SELECT local_date FROM status_check") == [("2025-11-12",), ("2025-11-15",)]
    assert place.sql("SELECT local_date FROM status_check_missed") == [("2025-11-13",), ("2025-11-14",)]


def test_a_monitor_that_is_new_has_missed_nothing(place: Place) -> None:
    place.run("21:00")
    assert (place.stderr, place.sql("SELECT * FROM status_check_missed")) == ("", [])


# monitors are independent


def test_a_monitor_whose_history_is_unreachable_does_not_stop_the_others(either: Place) -> None:
    either.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
    either.run("08:00")
    either.service.faults["history", "r-1"] = Fault()
    report = either.run("10:00", code=3)
    assert report["outcome"] == "partial"
    assert "pilot: the history of check 1" in report["error"]["message"]
    assert either.service.references == [f"2-{either.at('08:00')}"]


def test_two_monitors_of_one_robot_are_two_checks(either: Place) -> None:
    either.configure(PILOT, {**PILOT, "name": "short", "gap": "1h"})
    either.run("08:00")
    either.visit("08:30")
    either.run("09:30")
    assert either.service.references == [f"2-{either.at('08:30')}"]
    either.run("10:30")
    assert min(either.service.references) == f"1-{either.at('08:30')}"


# what must not keep a monitor from being watched


def test_a_check_from_a_clock_that_ran_ahead_does_not_keep_later_days_from_beginning(place: Place) -> None:
    place.run("2031-01-05 09:00")
    place.run("09:00")
    assert place.sql("SELECT local_date FROM status_check ORDER BY id") == [("2031-01-05",), ("2025-11-12",)]
    place.run("11:00")
    assert place.service.references == [f"2-{place.at('09:00')}"]


def test_with_a_short_deadline_every_history_is_still_read(place: Place) -> None:
    place.configure(
        *({**PILOT, "name": f"m{number}", "robot_id": f"r-{number}"} for number in range(1, 6)), deadline="8s"
    )
    place.passes("08:00", "10:00")
    assert len(place.service.references) == 5


def test_a_check_is_not_abandoned_by_a_pass_that_had_no_time_to_ask(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.configure(*({**PILOT, "name": f"m{number}", "robot_id": f"r-{number}"} for number in (1, 2)))
    place.run("08:00")
    with monkeypatch.context() as patch:
        patch.setattr("pollctl_toilet_gap.fetch.history.left_at_the_end", lambda _: 1000.0)
        place.run("22:00", code=3)
    assert sorted(place.sql("SELECT coalesce(result, 'none') FROM status_check")) == [("ALARM_RAISED",), ("none",)]
    place.run("22:01")
    assert place.sql("SELECT DISTINCT result FROM status_check") == [("ALARM_RAISED",)]
    assert len(place.service.references) == 12
