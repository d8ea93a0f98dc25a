"""Which days begin, when they are watched, and days that nobody watched."""

from __future__ import annotations

import pytest
from plugins.toilet_gap.place import PILOT, Place


def test_the_first_pass_from_a_on_makes_one_check_with_its_window(place: Place) -> None:
    place.passes("07:59", "08:00", "08:01")
    assert place.check("monitor, robot_id, local_date, phase, result") == (
        "pilot", "r-1", "2025-11-12", "MONITORING", None,
    )  # fmt: skip
    assert place.check("planned_at, ends_at") == (place.at("08:00"), place.at("20:00"))
    assert place.window() == ("08:00", "10:00")


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


def test_a_whole_day_without_a_pass_makes_no_check_and_is_logged_once(place: Place) -> None:
    place.passes("08:00", "20:00")
    place.run("2025-11-15 09:00")
    assert "missed the whole day 2025-11-13 of monitor pilot" in place.stderr
    assert "missed the whole day 2025-11-14 of monitor pilot" in place.stderr
    place.run("2025-11-15 09:01")
    assert "missed" not in place.stderr
    assert place.sql("SELECT local_date FROM status_check") == [("2025-11-12",), ("2025-11-15",)]
    assert place.sql("SELECT local_date FROM status_check_missed") == [("2025-11-13",), ("2025-11-14",)]


def test_a_monitor_that_is_new_has_missed_nothing(place: Place) -> None:
    place.do("db", "migrate")
    place.run("21:00")
    assert (place.stderr, place.sql("SELECT * FROM status_check_missed")) == ("", [])


def test_a_check_from_a_clock_that_ran_ahead_does_not_keep_later_days_from_beginning(place: Place) -> None:
    place.run("2031-01-05 09:00")
    place.run("09:00")
    assert place.sql("SELECT local_date FROM status_check ORDER BY id") == [("2031-01-05",), ("2025-11-12",)]
    place.run("11:00")
    assert place.service.references == [f"2-{place.at('09:00')}"]


def test_one_in_the_night_belongs_to_the_check_of_the_date_before(place: Place) -> None:
    place.configure({**PILOT, "start": "22:00", "end": "06:00"})
    place.run("22:00")
    place.visit("2025-11-13 01:00")
    place.run("2025-11-13 01:01")
    assert place.sql("SELECT local_date FROM status_check") == [("2025-11-12",)]
    assert place.happened() == [("ALARM_SENT", "00:00"), ("EVENT_OBSERVED", "01:00")]


def test_a_first_pass_after_midnight_begins_the_day_of_the_date_before(place: Place) -> None:
    place.configure({**PILOT, "start": "22:00", "end": "06:00"})
    place.run("2025-11-13 01:00")
    assert place.check("local_date") == "2025-11-12"
    assert place.window() == ("01:00", "03:00")


def test_a_whole_day_follows_the_next_without_a_hole(place: Place) -> None:
    place.configure({**PILOT, "start": "08:00", "end": "08:00", "gap": "12h"})
    place.passes("08:00", "2025-11-13 08:00")
    assert place.sql("SELECT local_date, result FROM status_check ORDER BY id") == [
        ("2025-11-12", "ALARM_RAISED"),
        ("2025-11-13", None),
    ]
