"""The commands, the settings, the metrics and the story, through their public doors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plugins.toilet_gap.place import PILOT, Place

from pollctl.demo import DemoSession
from pollctl_toilet_gap.commands import drawing
from pollctl_toilet_gap.fake import FakeEventService, Fault


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
    assert [row["id"] for row in place.answer("checks", "--monitor", "pilot", "--date", "2025-11-13")] == [2]
    assert place.answer("checks")[1]["settings"]["gap_ms"] == 7_200_000


@pytest.mark.parametrize(
    ("words", "told"),
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
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_cannot_be_is_told_with_the_remedy(place: Place, words: list[str], told: str) -> None:
    place.pollctl("toilet-gap", *words, code=2)
    assert told in place.stderr
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
        ("TOILET_ACTIVITY_GAP", "COMPLETE"),
    ]


def test_the_timeline_draws_the_day_in_local_time(place: Place) -> None:
    place.first_check_is(7)
    place.run("08:00")
    place.visit("09:30")
    place.passes("09:31", "11:30")
    place.visit("11:00")
    place.run("11:31")
    lines = place.pollctl("toilet-gap", "timeline", "7", now=place.at("14:00")).splitlines()
    assert lines[0] == "check 7  pilot  r-1  2025-11-12  Europe/Amsterdam  MONITORING"
    bar = lines[1].removeprefix("08:00 ").removesuffix(" 20:00")
    assert len(bar) == drawing.WIDTH
    assert (bar[9], bar[18], bar[21]) == ("o", "x", "!")
    assert (bar[:9], bar[22:36], set(bar[36:])) == ("-" * 9, "-" * 14, {" "})
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
    bar = place.pollctl("toilet-gap", "timeline", "1", now=place.at("20:00")).splitlines()[1]
    assert bar == f"08:00 {' ' * 36}{'-' * 36} 20:00"


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


def test_the_metrics_count_what_happened(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("09:30")
    queued.visit("09:20")
    queued.passes("09:31", "11:30")
    queued.visit("11:00")
    assert queued.queue
    queued.queue.push("boo")
    queued.run("11:31")
    text = queued.pollctl("metrics", now=queued.at("11:32"))
    wanted = {
        "pollctl_toilet_gap_windows_ended_by_visit_total": 2,
        "pollctl_toilet_gap_alarms_total": 1,
        "pollctl_toilet_gap_late_events_total": 1,
        "pollctl_toilet_gap_dead_letters_total": 1,
        'pollctl_toilet_gap_checks{result="OPEN"}': 1,
        'pollctl_toilet_gap_checks{result="SUCCESS"}': 0,
    }
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("pollctl_toilet_gap"))
    assert {name: float(lines[name]) for name in wanted} == wanted


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
    place.run("08:00")
    assert place.stderr == ""


# settings

WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no service": ({}, {"event_service_url": ""}, "event_service_url is missing"),
    "no address": (
        {},
        {"event_service_url": "events.example.net"},
        'event_service_url: found "events.example.net"; allowed an http',
    ),
    "a question in the address": ({}, {"event_service_url": "https://events.example.net/?a=1"}, "event_service_url"),
    "a port that is none": ({}, {"event_service_url": "https://events.example.net:x"}, "event_service_url"),
    "no queue address": ({}, {"queue_url": "sqs"}, 'queue_url: found "sqs"; allowed an http'),
    "no replay and no queue": ({}, {"replay_required": False}, "needs a queue_url"),
    "long wait": ({}, {"queue_wait": "21s"}, "queue_wait"),
    "half a second": ({}, {"queue_wait": "500ms"}, "whole seconds"),
    "no messages": ({}, {"max_messages": 0}, "max_messages"),
    "a wild skew": ({}, {"future_skew": "2d"}, "future_skew"),
    "a long tolerance": ({}, {"start_tolerance": "2h"}, "start_tolerance"),
    "two of one name": ({}, {"twice": True}, "2 monitors are called 'pilot'"),
    "no zone": ({"timezone": "Europe/Amsterdan"}, {}, 'did you mean "Europe/Amsterdam"'),
    "no time": ({"start": "8:00"}, {}, "start '8:00' is not a valid time of day; write \"08:00\""),
    "after midnight": ({"end": "24:00"}, {}, "end '24:00' is not a valid time of day"),
    "a gap of a second": ({"gap": "1s"}, {}, 'gap "1s" is too short'),
    "no gap": ({"gap": "0s"}, {}, 'more than "0s"'),
    "a gap longer than the day": ({"gap": "13h"}, {}, "no alarm could ever come"),
    "a grace as long as the gap": ({"grace": "2h"}, {}, "must be shorter than the gap"),
    "an alarm that is a visit": ({"alarm": "TOILET_ACTIVITY"}, {}, "would count as a visit"),
    "a robot of dots": ({"robot_id": ".."}, {}, "cannot stand in an address"),
    "a name with a line break": ({"name": "a\nb"}, {}, "must be printable text"),
    "no robot": ({"robot_id": ""}, {}, "robot_id"),
    "a negative level": ({"level": -1}, {}, "level"),
    "a typo": ({"gapp": "2h"}, {}, "did you mean 'gap'"),
}


@pytest.mark.parametrize(("monitor", "more", "told"), WRONG.values(), ids=WRONG)
def test_settings_that_make_no_sense_are_refused(
    place: Place, monitor: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    pilots = [{**PILOT, **monitor}] * (2 if more.pop("twice", False) else 1)
    place.configure(*pilots, **more)
    place.pollctl("run", "toilet_gap", code=2)
    assert told in place.stderr
    assert "plugins.toilet_gap" in place.stderr


def test_the_tables_of_the_sample_become_monitors(tmp_path: Path) -> None:
    import tomllib

    import pollctl_toilet_gap

    sample = (Path(pollctl_toilet_gap.__file__).parent / "sample.toml").read_text()
    shown = sample.partition("\n# [[")[2]
    table = tomllib.loads("[[" + shown.replace("\n# ", "\n"))
    from pollctl_toilet_gap.model import Monitor

    (monitor,) = table["plugins"]["toilet_gap"]["monitors"]
    assert set(monitor) == set(Monitor.__struct_fields__)


def test_the_story_is_told_in_a_day_with_one_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pollctl.cli import start
    from pollctl_toilet_gap.demo import run

    with DemoSession(tmp_path, start) as session:
        run(session)
    told = capsys.readouterr().out
    assert told.count("alarm 1-") == 1
    assert "no TOILET_ACTIVITY from" in told


def test_the_fake_forgets_nothing_that_it_was_told() -> None:
    with FakeEventService() as service:
        service.visit("r-1", "2025-11-12T08:30:00.000Z")
        assert json.dumps(service.incomings("r-1", "TOILET_ACTIVITY", 0)).count("08:30") == 2
        assert service.incomings("r-1", "TOILET_ACTIVITY", 1_762_936_201) == []
