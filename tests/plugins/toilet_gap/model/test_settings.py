"""Settings that make no sense are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plugins.toilet_gap.place import PILOT, Place

from pollctl_toilet_gap.model import Monitor

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
    "a day shorter than the gap, by name": (
        {"start": "18:00", "end": "19:30"},
        {},
        "monitor 'pilot': gap \"2h\" is longer than the day from 18:00 to 19:30",
    ),
    "a grace as long as the gap": ({"grace": "2h"}, {}, "must be shorter than the gap"),
    "an alarm that is a visit": ({"alarm": "TOILET_ACTIVITY"}, {}, "would count as a visit"),
    "a robot of dots": ({"robot_id": ".."}, {}, "cannot stand in an address"),
    "a name with a line break": ({"name": "a\nb"}, {}, "must be printable text"),
    "no robot": ({"robot_id": ""}, {}, "robot_id"),
    "a negative level": ({"level": -1}, {}, "level"),
    "a typo": ({"gapp": "2h"}, {}, "did you mean 'gap'"),
}


@pytest.mark.parametrize(("monitor", "more", "message"), WRONG.values(), ids=WRONG)
def test_settings_that_make_no_sense_are_refused(
    place: Place, monitor: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    pilots = [{**PILOT, **monitor}] * (2 if more.pop("twice", False) else 1)
    place.configure(*pilots, **more)
    place.pollctl("run", "toilet_gap", code=2)
    assert message in place.stderr
    assert "plugins.toilet_gap" in place.stderr


def test_the_tables_of_the_sample_become_monitors(tmp_path: Path) -> None:
    import tomllib

    import pollctl_toilet_gap

    sample = (Path(pollctl_toilet_gap.__file__).parent / "sample.toml").read_text()
    shown = sample.partition("\n# [[")[2]
    table = tomllib.loads("[[" + shown.replace("\n# ", "\n"))

    (monitor,) = table["plugins"]["toilet_gap"]["monitors"]
    assert set(monitor) == set(Monitor.__struct_fields__)
