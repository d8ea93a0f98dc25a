"""Alarms and unsubscriptions on their way, and people who are notified."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from inbox import Inbox
from plugins.toilet_gap.place import PILOT, Place
from sink import Sink

from pollctl_toilet_gap.fake import Fault


def outbox(place: Place, kind: str) -> list[tuple[str, str, int]]:
    return place.sql("SELECT key, status, attempts FROM outbox WHERE kind = ? ORDER BY id", [kind])


def results(place: Place) -> list[Any]:
    rows = place.sql("""SELECT result FROM status_check_record WHERE reference_id IS NOT NULL ORDER BY "order" """)
    return [result for (result,) in rows]


def test_an_alarm_that_could_not_be_posted_is_posted_later_and_seen_meanwhile(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault()
    assert place.run("10:00", code=3)["effects"]["failed"] == 1
    assert results(place) == [None]
    assert "1 alarm not posted" in place.pollctl("status", now=place.at("10:00"))
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


# people are notified


def test_three_failed_passes_in_a_row_notify_people(place: Place) -> None:
    with Sink() as sink:
        place.core = f'[pollctl.notify]\nurls = ["{sink.json_url}/crew"]'
        place.configure()
        place.run("08:00")
        place.service.faults["history"] = Fault()
        for minute in range(2):
            place.run_command(f"10:0{minute}", code=1)
        assert not sink.keys
        place.run_command("10:02", code=1)
        assert [key.split(":")[0] for key in sink.keys] == ["pollctl.failing"]


def test_a_monitor_that_is_blind_for_three_passes_is_notified_once_even_if_the_others_see(place: Place) -> None:
    with Inbox() as inbox:
        place.core = f'[pollctl.notify]\nurls = ["{inbox.json_url}/crew"]'
        place.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
        place.run("08:00")
        place.service.faults["history", "r-1"] = Fault()
        place.run("10:00", code=3)
        place.run("10:01", code=3)
        assert inbox.keys == []
        for minute in range(2, 5):
            place.run_command(f"10:0{minute}", code=3)
        assert [key.split(":")[:2] for key in inbox.keys] == [["blind", "1"]]
        (message,) = inbox.messages
        assert message["title"] == "toilet_gap: monitor pilot cannot be judged"
        lines = message["message"].splitlines()
        assert lines[0].startswith("Since 2025-11-12 10:00 CET (2 min): 3 passes in a row could not read its history:")
        assert lines[1:] == [
            "No alarm can be raised meanwhile. Look after the resident.",
            f"toilet_gap on {socket.gethostname()}, check 1",
        ]
    assert "1 check cannot be judged" in place.pollctl("status", now=place.at("10:05"))


def test_a_monitor_that_is_not_subscribed_for_three_passes_is_notified_once_even_if_the_others_are(
    place: Place,
) -> None:
    with Sink() as sink:
        place.core = f'[pollctl.notify]\nurls = ["{sink.json_url}/crew"]'
        place.configure(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
        place.service.faults["subscribe", "r-1"] = Fault()
        place.run("08:00")
        for minute in range(1, 3):
            place.run(f"08:0{minute}", code=3)
        assert not sink.keys
        for minute in range(3, 6):
            place.run_command(f"08:0{minute}", code=3)
        assert [(key.split(":")[:2], number) for key, number in sink.keys.items()] == [(["blind", "1"], 1)]
    place.service.faults.clear()
    place.run("08:10", code=3)
    place.run("08:11")
    assert place.sql("SELECT DISTINCT unjudged FROM status_check_poller") == [(0,)]


def test_of_an_alarm_that_is_not_taken_three_times_people_are_notified_once(place: Place) -> None:
    with Inbox() as inbox:
        place.core = f'[pollctl.notify]\nurls = ["{inbox.json_url}/crew"]'
        place.configure()
        place.run("08:00")
        place.service.faults["post"] = Fault()
        for at in ("10:00", "10:05"):
            place.run(at, code=3)
        assert inbox.keys == []
        for at in ("10:20", "10:21", "10:40"):
            place.run_command(at, code=0 if at == "10:21" else 3)
        reference = f"1-{place.at('08:00')}"
        assert [key.rpartition(":")[0] for key in inbox.keys] == [f"unposted:{reference}"]
        (message,) = inbox.messages
        lines = message["message"].splitlines()
        assert lines[0] == "No visit was seen since 2025-11-12 08:00 CET (2 h 20 min)."
        assert lines[1].startswith("3 attempts to post it failed: ")


def test_an_alarm_that_waits_behind_another_is_counted_among_those_not_posted(place: Place) -> None:
    place.run("08:00")
    place.service.faults["post"] = Fault()
    place.run("10:00", code=3)
    place.run("12:00", code=3)
    assert "2 alarms not posted" in place.pollctl("status", now=place.at("12:00"))
