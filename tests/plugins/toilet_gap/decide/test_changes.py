"""Settings that change in the middle of a day."""

from __future__ import annotations

import pytest
from plugins.toilet_gap.place import ALARM, CHANGED, OBSERVED, PILOT, Place


def test_a_shorter_gap_holds_at_once(place: Place) -> None:
    place.run("08:00")
    place.visit("08:30")
    place.run("08:31")
    place.configure({**PILOT, "gap": "1h"})
    place.run("09:00")
    assert place.window() == ("08:30", "09:30")
    place.run("09:30")
    assert place.service.references == [f"1-{place.at('08:30')}"]
    assert place.happened() == [(OBSERVED, "08:30"), (CHANGED, "09:00"), (ALARM, "09:30")]
    assert len(place.service.subscribed) == 1


def test_a_gap_that_became_shorter_than_the_time_without_a_visit_is_an_alarm_at_once(place: Place) -> None:
    place.passes("08:00", "09:30")
    place.configure({**PILOT, "gap": "1h"})
    place.run("09:31")
    assert place.happened() == [(CHANGED, "09:31"), (ALARM, "09:00")]
    assert place.window() == ("09:00", "10:00")


def test_what_was_over_before_the_change_is_judged_by_the_old_gap(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "gap": "4h"})
    place.run("10:30")
    assert place.happened() == [(ALARM, "10:00"), (CHANGED, "10:30")]
    assert place.window() == ("10:00", "14:00")


def test_a_record_says_which_settings_changed(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "level": 20, "grace": "1m"})
    place.run("09:00")
    changes = [row["result"] for row in place.answer("records", "1") if row["event_name"] == CHANGED]
    assert changes == ["grace 0:00:00 -> 0:01:00, level 10 -> 20"]
    place.run("10:01")
    assert place.service.posted[0]["level"] == 20


def test_a_b_that_moved_before_now_ends_the_day(place: Place) -> None:
    place.configure({**PILOT, "gap": "6h"})
    place.run("08:00")
    place.visit("12:00")
    place.run("12:01")
    place.configure({**PILOT, "gap": "6h", "end": "14:00"})
    place.run("15:00")
    assert place.check("phase, result, ends_at") == ("COMPLETE", "SUCCESS", place.at("14:00"))
    assert place.service.subscriptions == {}


def test_a_zone_and_robot_change_with_the_next_day(place: Place) -> None:
    place.passes("08:00", "10:00")
    place.configure({**PILOT, "robot_id": "r-2", "start": "09:00"})
    place.passes("12:00", "20:00")
    assert {event["robotId"] for event in place.service.posted} == {"r-1"}
    place.run("2025-11-13 08:30")
    assert place.sql("SELECT count(*) FROM status_check") == [(1,)]
    place.run("2025-11-13 09:00")
    assert place.sql("SELECT robot_id, planned_at FROM status_check WHERE id = 2") == [
        ("r-2", place.at("2025-11-13 09:00"))
    ]


@pytest.mark.parametrize(
    ("old", "new", "at", "ends"),
    [
        (("22:00", "06:00"), ("08:00", "20:00"), "23:00", "2025-11-13 06:00"),
        (("08:00", "20:00"), ("06:00", "07:00"), "12:00", "20:00"),
        (("08:00", "20:00"), ("09:00", "08:30"), "12:00", "2025-11-13 08:30"),
    ],
    ids=["a night becomes a day", "a day becomes an hour before it", "a day becomes nearly a whole one"],
)
def test_a_new_b_never_reaches_into_the_next_day_of_the_monitor(
    place: Place, old: tuple[str, str], new: tuple[str, str], at: str, ends: str
) -> None:
    place.configure({**PILOT, "start": old[0], "end": old[1], "gap": "1h"})
    place.run(old[0])
    place.configure({**PILOT, "start": new[0], "end": new[1], "gap": "1h"})
    place.run(at)
    assert place.check("phase, ends_at") == ("MONITORING", place.at(ends))
    place.run(at)
    assert place.check("phase, ends_at") == ("MONITORING", place.at(ends))
