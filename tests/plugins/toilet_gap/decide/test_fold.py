"""The fold on the example day: Europe/Amsterdam, 2025-11-12, 08:00 to 20:00, a gap of two hours, check 7."""

from __future__ import annotations

import pytest
from plugins.toilet_gap.place import ALARM, LATE, OBSERVED, PILOT, Place


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


def test_after_an_outage_the_alarms_come_in_their_order_as_if_every_pass_had_run(either: Place) -> None:
    either.passes("08:00", "08:05")
    either.visit("11:10", is_pushed=False)
    either.run("15:30")
    sinces = [either.at(at) for at in ("08:00", "11:10", "13:10")]
    assert either.service.references == [f"1-{since}" for since in sinces]
    assert either.happened() == [(ALARM, "10:00"), (OBSERVED, "11:10"), (ALARM, "13:10"), (ALARM, "15:10")]


def test_two_monitors_of_one_robot_are_two_checks(either: Place) -> None:
    either.configure(PILOT, {**PILOT, "name": "short", "gap": "1h"})
    either.run("08:00")
    either.visit("08:30")
    either.run("09:30")
    assert either.service.references == [f"2-{either.at('08:30')}"]
    either.run("10:30")
    assert min(either.service.references) == f"1-{either.at('08:30')}"
