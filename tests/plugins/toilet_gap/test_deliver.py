"""What happens around the fold: alarms on their way, settings that change, checks that are closed, people who are told."""

from __future__ import annotations

from typing import Any

import pytest
from plugins.toilet_gap.place import PILOT, Place, local
from sink import Sink

from pollctl_toilet_gap.fake import Fault

OBSERVED, ALARM, CHANGED = "EVENT_OBSERVED", "ALARM_SENT", "CONFIG_CHANGED"


def outbox(place: Place, kind: str) -> list[tuple[str, str, int]]:
    return place.sql("SELECT key, status, attempts FROM outbox WHERE kind = ? ORDER BY id", [kind])


def results(place: Place) -> list[Any]:
    rows = place.sql("""SELECT result FROM status_check_record WHERE reference_id IS NOT NULL ORDER BY "order" """)
    return [result for (result,) in rows]


# alarms


def test_an_alarm_that_could_not_be_posted_is_posted_later_and_seen_meanwhile(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault()
    assert place.run("10:00", code=3)["effects"]["failed"] == 1
    assert results(place) == [None]
    assert "1 alarms not posted" in place.pollctl("status", now=place.at("10:00"))
    place.service.faults.clear()
    place.run("10:05")
    assert place.service.references == [f"1-{place.at('08:00')}"]
    assert (results(place), "not posted" in place.pollctl("status", now=place.at("10:06"))) == (["SENT"], False)


@pytest.mark.parametrize("fault", [Fault(status=0, is_done=True), Fault(status=500, is_done=True)], ids=["cut", "500"])
def test_an_alarm_whose_answer_was_lost_is_looked_for_before_it_is_posted_again(place: Place, fault: Fault) -> None:
    place.run("08:00")
    place.service.faults["post"] = fault
    place.run("10:00", code=3)
    place.service.faults.clear()
    place.run("10:05")
    assert place.service.references == [f"1-{place.at('08:00')}"]
    assert (place.service.calls["post"], results(place)) == (1, ["SENT"])


def test_while_nobody_knows_whether_it_was_posted_it_is_not_posted_again(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault(status=0, is_done=True)
    place.run("10:00", code=3)
    place.service.faults = {"history": Fault()}
    place.run("10:05", code=1)
    assert (len(place.service.posted), place.service.calls["post"]) == (1, 1)
    ((error,),) = place.sql("SELECT last_error FROM outbox WHERE kind = 'alarm'")
    assert "whether it was posted before cannot be seen: the event service answered 503" in error


def test_an_alarm_that_is_retried_by_hand_is_looked_for_too(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault(status=500, is_done=True)
    place.run("10:00", code=3)
    ((number,),) = place.sql("SELECT id FROM outbox WHERE kind = 'alarm'")
    place.pollctl("outbox", "retry", str(number), now=place.at("10:00"))
    place.service.faults.clear()
    place.run("10:01")
    assert (place.service.calls["post"], outbox(place, "alarm")[0][1]) == (1, "delivered")


def test_alarms_of_one_check_go_out_in_their_order_even_if_the_first_must_wait(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault()
    place.run("10:00", code=3)
    place.run("12:00", code=3)
    place.service.faults.clear()
    place.run("12:01:30")
    assert place.service.references == [], "the second is due, and waits for the first"
    place.run("12:30")
    assert place.service.references == [f"1-{place.at('08:00')}", f"1-{place.at('10:00')}"]


# subscriptions


def test_an_unsubscribe_that_fails_is_tried_again_and_one_that_is_gone_is_done(place: Place) -> None:
    place.configure({**PILOT, "gap": "12h"})
    place.run("08:00")
    place.visit("12:00")
    place.service.faults["unsubscribe"] = Fault()
    place.run("20:00", code=3)
    assert (place.check(), len(place.service.subscriptions)) == (("COMPLETE", "SUCCESS"), 1)
    place.service.faults["unsubscribe"] = Fault(status=404)
    place.run("20:05")
    assert outbox(place, "unsubscribe")[0][1] == "delivered"


@pytest.mark.parametrize("body", [b"{}", b'{"id": ""}', b'{"id": ".."}', b"oops", b'{"id": null}'])
def test_a_subscription_whose_id_cannot_be_read_is_made_again(place: Place, body: bytes) -> None:
    place.service.faults["subscribe"] = Fault(status=201, body=body)
    place.run("08:00")
    assert place.check("phase") == "SETUP"
    place.service.faults.clear()
    place.run("08:01", code=1)
    assert (place.check("phase"), place.check("subscription_id")) == ("MONITORING", "sub-1")


def test_a_subscription_that_arrives_after_its_check_was_closed_is_ended_at_once(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.service.faults.clear()
    place.pollctl("toilet-gap", "close", "1", now=place.at("08:01"))
    place.run("08:02", code=1)
    assert (place.check(), place.service.subscriptions) == (("COMPLETE", "FAILED"), {})


def test_a_subscription_that_the_outbox_gave_up_is_wanted_again(place: Place) -> None:
    place.service.faults["subscribe"] = Fault()
    place.run("08:00")
    place.sql("UPDATE status_check_subscription SET state = 'wanted'")
    place.sql("UPDATE outbox SET status = 'dead', delivered_at = NULL WHERE kind = 'subscribe'")
    place.service.faults.clear()
    place.run("08:01", code=1)
    assert place.check("phase") == "MONITORING"


# settings that change in the middle of a day


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
    told = [row["result"] for row in place.answer("records", "1") if row["event_name"] == CHANGED]
    assert told == ["grace 0:00:00 -> 0:01:00, level 10 -> 20"]
    place.run("10:01")
    assert place.service.posted[0]["level"] == 20


def test_a_later_b_holds_at_once_and_the_subscription_is_renewed_without_a_hole(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "end": "21:00"})
    place.run("09:00")
    assert place.check("ends_at, subscription_id") == (place.at("21:00"), "sub-2")
    assert [(made.id, made.until) for made in place.service.subscribed] == [
        ("sub-1", local("20:00")),
        ("sub-2", local("21:00")),
    ]
    assert list(place.service.subscriptions) == ["sub-2"]
    place.passes("20:00", "20:59")
    assert place.check() == ("MONITORING", None)
    place.run("21:00")
    assert place.check() == ("COMPLETE", "ALARM_RAISED")
    assert place.service.subscriptions == {}


def test_a_renewal_that_is_answered_with_the_id_known_already_is_not_ended(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "end": "21:00"})
    place.service.subscribed.clear()  # so that it counts from 1 again
    place.run("09:00")
    assert [(made.id, made.until) for made in place.service.subscriptions.values()] == [("sub-1", local("21:00"))]
    place.passes("10:00", "21:00")
    assert place.check() == ("COMPLETE", "ALARM_RAISED")
    assert place.service.subscriptions == {}


def test_a_renewal_that_fails_keeps_the_old_subscription_until_it_succeeds(place: Place) -> None:
    place.run("08:00")
    place.configure({**PILOT, "end": "21:00"})
    place.service.faults["subscribe"] = Fault()
    place.run("09:00")
    assert list(place.service.subscriptions) == ["sub-1"]
    place.service.faults.clear()
    place.run("09:01")
    assert list(place.service.subscriptions) == ["sub-2"]
    assert place.check("subscription_id") == "sub-2"


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
    assert "pilot: check 1 ended before its day did, so nobody watches until" in report["error"]["message"]
    assert "another name" in report["error"]["message"]
    place.configure({**PILOT, "name": "pilot again"}, other)
    place.run("08:32")
    assert place.check("monitor, phase", 3) == ("pilot again", "MONITORING")


def test_a_check_that_was_closed_by_hand_is_no_trouble(place: Place) -> None:
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


# people are told


def test_three_failed_passes_in_a_row_are_told(place: Place) -> None:
    with Sink() as told:
        place.core = f'[pollctl.notify]\nurls = ["{told.json_url}/crew"]'
        place.configure()
        place.run("08:00")
        place.service.faults["history"] = Fault()
        for minute in range(2):
            place.run_in_process(f"10:0{minute}", code=1)
        assert not told.keys
        place.run_in_process("10:02", code=1)
        assert [key.split(":")[0] for key in told.keys] == ["pollctl.failing"]


def test_a_monitor_that_is_blind_for_three_passes_is_told_once_even_if_the_others_see(place: Place) -> None:
    with Sink() as told:
        place.core = f'[pollctl.notify]\nurls = ["{told.json_url}/crew"]'
        place.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
        place.run("08:00")
        place.service.faults["history", "r-1"] = Fault()
        place.run("10:00", code=3)
        place.run("10:01", code=3)
        assert not told.keys
        for minute in range(2, 5):
            place.run_in_process(f"10:0{minute}", code=3)
        assert [(key.split(":")[:2], number) for key, number in told.keys.items()] == [(["blind", "1"], 1)]
    assert "1 checks cannot be judged" in place.pollctl("status", now=place.at("10:05"))


def test_a_monitor_that_is_not_subscribed_for_three_passes_is_told_once_even_if_the_others_are(place: Place) -> None:
    with Sink() as told:
        place.core = f'[pollctl.notify]\nurls = ["{told.json_url}/crew"]'
        place.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
        place.service.faults["subscribe", "r-1"] = Fault()
        place.run("08:00")
        for minute in range(1, 3):
            place.run(f"08:0{minute}", code=3)
        assert not told.keys
        for minute in range(3, 6):
            place.run_in_process(f"08:0{minute}", code=3)
        assert [(key.split(":")[:2], number) for key, number in told.keys.items()] == [(["blind", "1"], 1)]
    place.service.faults.clear()
    place.run("08:10", code=3)
    place.run("08:11")
    assert place.sql("SELECT DISTINCT unjudged FROM status_check_poller") == [(0,)]


def test_of_an_alarm_that_is_not_taken_three_times_people_are_told_once(place: Place) -> None:
    with Sink() as told:
        place.core = f'[pollctl.notify]\nurls = ["{told.json_url}/crew"]'
        place.configure()
        place.run("08:00")
        place.service.faults["post"] = Fault()
        for at in ("10:00", "10:05"):
            place.run(at, code=3)
        assert not told.keys
        for at in ("10:20", "10:21", "10:40"):
            place.run_in_process(at, code=0 if at == "10:21" else 3)
        reference = f"1-{place.at('08:00')}"
        assert [key.rpartition(":")[0] for key in told.keys] == [f"unposted:{reference}"]
        assert list(told.keys.values()) == [1]


def test_an_alarm_that_waits_behind_another_is_counted_among_those_not_posted(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault()
    place.run("10:00", code=3)
    place.run("12:00", code=3)
    assert "2 alarms not posted" in place.pollctl("status", now=place.at("12:00"))


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


def test_everything_a_pass_decided_can_be_replayed(queued: Place) -> None:
    queued.configure(record="all")
    queued.run("08:00")
    queued.visit("09:30")
    queued.passes("09:31", "11:30", "20:00")
    assert queued.sql("SELECT count(*) > 5 FROM recordings") == [(1,)]
    queued.pollctl("replay", "--all", code=0)
