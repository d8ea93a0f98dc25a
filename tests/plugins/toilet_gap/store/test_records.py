"""What the log says of alarms and late events."""

from __future__ import annotations

from plugins.toilet_gap.place import Place


def test_the_log_of_an_alarm_has_its_keys(place: Place) -> None:
    place.passes("08:00", "10:00")
    assert place.stderr == (
        "toilet_gap: alarm robotId=r-1 statusCheckId=1 windowSince=2025-11-12T07:00:00.000Z "
        "windowUntil=2025-11-12T09:00:00.000Z alarmReferenceId=1-2025-11-12T07:00:00.000Z\n"
    )


def test_the_log_of_a_late_event_has_its_keys(place: Place) -> None:
    place.passes("08:00", "10:00")
    place.visit("09:50")
    place.run("10:01")
    assert place.stderr == (
        "toilet_gap: late event robotId=r-1 statusCheckId=1 eventTimestamp=2025-11-12T08:50:00.000Z: "
        "a later visit came first, or the alarm went out: it moves nothing\n"
    )


def test_a_pass_in_which_nothing_happens_says_nothing(place: Place) -> None:
    place.do("db", "migrate")
    place.run("08:00")
    assert place.stderr == ""
