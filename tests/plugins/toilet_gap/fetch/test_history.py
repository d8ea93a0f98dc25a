"""Before any alarm the history is read; one that cannot be read stops no other monitor."""

from __future__ import annotations

import pytest
from plugins.toilet_gap.in_memory import BEGINS, InMemoryWorld, moment, settings_of
from plugins.toilet_gap.place import PILOT, Place, local

from pollctl_toilet_gap.decide import decide
from pollctl_toilet_gap.fake import Fault
from pollctl_toilet_gap.model import Batch, DueCheck, History, RaiseAlarm, State
from pollctl_toilet_gap.store.checks import checks_of


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
def test_what_is_not_a_history_is_no_reason_for_an_alarm(place: Place, fault: Fault) -> None:
    place.run("08:00")
    place.service.faults["history"] = fault
    place.run("10:00", code=1)
    assert place.service.references == []


def test_if_the_settings_allow_it_a_queue_that_was_read_to_its_end_is_enough(queued: Place) -> None:
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    queued.run("10:00", code=3)
    assert queued.service.references == [f"1-{queued.at('08:00')}"]


def test_even_then_a_queue_that_cannot_be_read_raises_nothing(queued: Place) -> None:
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    queued.configure(endpoint_url="http://127.0.0.1:9")
    report = queued.run("10:00", code=1)
    assert "queue" in report["error"]["message"]
    assert queued.service.references == []


def test_a_monitor_whose_history_is_unreachable_does_not_stop_the_others(either: Place) -> None:
    either.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
    either.run("08:00")
    either.service.faults["history", "r-1"] = Fault()
    report = either.run("10:00", code=3)
    assert report["outcome"] == "partial"
    assert "pilot: the history of check 1" in report["error"]["message"]
    assert either.service.references == [f"2-{either.at('08:00')}"]


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


def test_a_history_that_hangs_for_some_leaves_time_for_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pollctl_toilet_gap.fetch.history.TIMEOUT_S", 0.4)
    place.configure(*({**PILOT, "name": f"m{number}", "robot_id": f"r-{number}"} for number in range(1, 6)))
    place.run("08:00")
    place.service.faults["history", "r-1"] = Fault(delay=5)
    report = place.run("10:00", code=3)
    assert len(place.service.references) == 4
    assert report["duration_ms"] < 4000


def test_a_history_that_begins_after_the_window_is_no_reason_for_an_alarm() -> None:
    world = InMemoryWorld(settings_of(1800), [])
    world.run(BEGINS)
    check = checks_of(world.db, {1: []})[1]
    due = DueCheck(check_id=1, ends_at=check.ends_at)
    for begins, is_alarm in ((check.since, True), (moment(1), False)):
        batch = Batch(due=[due], histories=[History(check_id=1, since=begins)])
        decided = decide(State(checks={1: check}), batch, moment(1800), world.settings)
        assert any(isinstance(decision, RaiseAlarm) for decision in decided) == is_alarm
    world.close()
