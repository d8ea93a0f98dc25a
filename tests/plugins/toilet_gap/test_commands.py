"""The commands, through their public door."""

from __future__ import annotations

import pytest
from plugins.toilet_gap.place import PILOT, Place

from pollctl_toilet_gap.commands import drawing
from pollctl_toilet_gap.fake import Fault


def test_monitors_says_what_each_does_at_this_moment(place: Place) -> None:
    place.configure(PILOT, {**PILOT, "name": "night", "start": "22:00", "end": "06:00"})
    place.run("08:00")
    (pilot, night) = place.answer("monitors")
    assert (pilot["check"], pilot["phase"], pilot["since"], pilot["is_day"]) == (
        1,
        "MONITORING",
        place.at("08:00"),
        True,
    )
    assert (night["check"], night["is_day"], night["gap"]) == (None, False, "2h")


def test_checks_can_be_narrowed_to_a_monitor_and_a_date(place: Place) -> None:
    place.passes("08:00", "20:00", "2025-11-13 08:00")
    assert [row["id"] for row in place.answer("checks")] == [2, 1]
    assert [row["id"] for row in place.answer("checks", "--date", "2025-11-12")] == [1]
    assert place.answer("records", "latest") == place.answer("records", "2") != place.answer("records", "1")
    assert place.pollctl("toilet-gap", "timeline", "latest").startswith("check 2 ")
    assert [row["id"] for row in place.answer("checks", "--monitor", "pilot", "--date", "2025-11-13")] == [2]
    assert place.answer("checks")[1]["settings"]["gap_ms"] == 7_200_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["checks", "--monitor", "pilo"], "no monitor 'pilo'"),
        (["checks", "--date", "yesterday"], "'yesterday' is not a valid date; write 2026-03-08"),
        (["checks", "--date", "20251112"], "is not a valid date"),
        (["records", "9"], "no check 9; `pollctl toilet-gap checks` lists them"),
        (["timeline", "9"], "no check 9"),
        (["close", "9"], "no check 9"),
        (["close", "0"], "0 is not in the range"),
        (["records", str(2**70)], "is not in the range"),
        (["records", "seven"], "not a valid integer"),
        (["timeline", "latest"], "no check yet"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_is_not_possible_is_refused_with_the_remedy(place: Place, words: list[str], message: str) -> None:
    place.pollctl("toilet-gap", *words, code=2)
    assert message in place.stderr
    assert "Traceback" not in place.stderr


def test_a_check_that_is_over_cannot_be_closed(place: Place) -> None:
    place.passes("08:00", "20:00")
    place.pollctl("toilet-gap", "close", "1", code=1)
    assert "check 1 is over already: ALARM_RAISED" in place.stderr


def test_the_template_is_the_same_the_second_time(place: Place) -> None:
    first = place.answer("seed-template")
    tables = ("description", "template", "template_detail")
    rows = [place.sql(f"SELECT * FROM status_check_{table}") for table in tables]
    assert place.answer("seed-template") == first
    assert [place.sql(f"SELECT * FROM status_check_{table}") for table in tables] == rows
    assert [(row["description"], row["phase"]) for row in first] == [
        ("TOILET_ACTIVITY_GAP", "SETUP"),
        ("TOILET_ACTIVITY_GAP", "MONITORING"),
        ("TOILET_ACTIVITY_GAP", "ALARM"),
        ("TOILET_ACTIVITY_GAP", "COMPLETE"),
    ]
    place.run("08:00")
    ((version, past, future, to_the_end),) = place.sql(
        """SELECT version, past_event_dependencies, future_event_dependencies, poll_until_end
           FROM status_check AS c JOIN status_check_template AS t ON t.id = c.status_check_template_id"""
    )
    assert (version, past, to_the_end) == (1, "[]", 1)
    assert future == '[{"event":"TOILET_ACTIVITY","maxGapMinutes":120}]'


def plain_timeline(place: Place, check: int, now: str) -> list[str]:
    """The lines of a timeline where only ASCII can be shown."""
    place.env["PYTHONIOENCODING"] = "ascii"
    done = place.spawn("toilet-gap", "timeline", str(check), now=now)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_timeline_draws_the_day_in_local_time(place: Place) -> None:
    place.first_check_is(7)
    place.run("08:00")
    place.visit("09:30")
    place.passes("09:31", "11:30")
    place.visit("11:00")
    place.run("11:31")
    lines = plain_timeline(place, 7, place.at("14:00"))
    assert lines[0] == "check 7  pilot  r-1  2025-11-12  Europe/Amsterdam  MONITORING"
    bar = lines[1].removeprefix("08:00 ").removesuffix(" 20:00")
    assert len(bar) == drawing.WIDTH
    assert (bar[7], bar[15], bar[18]) == ("o", "x", "!")
    assert (bar[:7], bar[19:31], set(bar[31:])) == ("-" * 7, "-" * 12, {" "})
    assert lines[2:] == [
        "09:30  o  visit",
        "11:30  !  alarm 7-2025-11-12T08:30:00.000Z",
        "11:00  x  late visit",
    ]


def test_the_timeline_of_a_day_that_nobody_watched_is_empty(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    bar = place.pollctl("toilet-gap", "timeline", "1", now=place.at("12:00")).splitlines()[1]
    assert bar == f"08:00 {' ' * drawing.WIDTH} 20:00"


def test_the_timeline_of_a_day_that_was_subscribed_late_begins_with_the_subscription(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.service.faults.clear()
    place.run("14:00", code=1)
    bar = plain_timeline(place, 1, place.at("20:00"))[1]
    assert bar == f"08:00 {' ' * 31}{'-' * 31} 20:00"


def test_with_unicode_and_colour_each_mark_has_a_style_of_its_own() -> None:
    check = {"id": 1, "monitor": "pilot", "robot_id": "r-1", "local_date": "2025-11-12", "result": None}
    day = {"planned_at": "2025-11-12T07:00:00.000Z", "ends_at": "2025-11-12T19:00:00.000Z"}
    more = {"phase": "MONITORING", "settings": {"timezone": "Europe/Amsterdam"}}
    record = {"event_at": "2025-11-12T09:00:00.000Z", "result": None, "reference_id": "1-x"}
    records = [{**record, "event_name": "ALARM_SENT"}]
    from pollctl import from_text

    drawn = drawing.drawn({**check, **day, **more}, records, from_text("2025-11-12T12:00:00Z"), is_plain=False)
    marks = [piece for piece in drawn[1] if piece.text == "▲"]
    assert [piece.style for piece in marks] == ["bold red"]
    assert drawn[2][-1].text == "  alarm 1-x, not posted yet"
