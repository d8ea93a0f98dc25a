"""Draining the queue over real sockets, with duplicates, reordering and redelivery."""

from __future__ import annotations

import json
import random
import time
from datetime import timedelta

import pytest
from plugins.toilet_gap.place import OBSERVED, Place, body, local, queue_of
from plugins.toilet_gap.sqs_server import count_calls, on_each_call

from pollctl_toilet_gap.fake import Fault


@pytest.mark.slow
def test_messages_that_come_several_times_and_in_any_order_give_the_same_rows(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.is_holding = True
    for minute in range(0, 60, 2):
        queued.visit(f"08:{minute:02}")
    queue.release(times=3, dice=random.Random(1))
    report = queued.run("09:00")
    assert queued.happened() == [(OBSERVED, f"08:{minute:02}") for minute in range(0, 60, 2)]
    assert (report["stats"]["messages"], report["stats"]["duplicates"]) == (90, 60)
    assert queue.size == 0


def test_a_message_that_is_received_again_before_it_is_deleted_is_one_record(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.be_visible_after()
    queued.visit("08:30")
    queued.configure(max_messages=50)
    report = queued.run("08:31")
    assert report["stats"]["messages"] > 1
    assert queued.happened() == [(OBSERVED, "08:30")]
    assert report["outcome"] == "ok"


def test_messages_are_deleted_only_after_what_they_said_is_committed(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queued.visit("08:30")
    queued.sql("CREATE TRIGGER full BEFORE INSERT ON status_check_incoming BEGIN SELECT RAISE(ABORT, 'no'); END")
    queued.run("08:31", code=1)
    assert (queued.happened(), queue.size) == ([], 1)
    queued.sql("DROP TRIGGER full")
    queue.be_visible_after()
    queue.client.purge_queue(QueueUrl=queue.url)
    queue.push(body("08:30"))
    queued.run("08:32")
    assert (queued.happened(), queue.size) == ([(OBSERVED, "08:30")], 0)


def test_messages_that_could_not_be_recorded_do_not_count_as_read(queued: Place) -> None:
    """Otherwise an alarm would go out against a visit that lies in the queue."""
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.visit("09:50")
    queued.service.faults["history"] = Fault()
    queued.sql("CREATE TRIGGER full BEFORE INSERT ON status_check_incoming BEGIN SELECT RAISE(ABORT, 'no'); END")
    queued.run("10:00", code=1)
    assert queued.service.references == []


def test_a_slow_queue_leaves_time_for_the_history_and_the_alarms(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queue_of(queued)
    queued.configure(deadline="3s")
    queued.run("08:00")
    queue.is_holding = True
    for number in range(100):
        queued.service.visit("r-1", local("08:01") + timedelta(seconds=number))
    queue.release()
    calls = count_calls(monkeypatch)
    on_each_call(monkeypatch, "before-call.sqs.ReceiveMessage", lambda **_: time.sleep(0.5))
    report = queued.run("11:00", code=3)
    assert "queue: there was no time left to drain it" in report["error"]["message"]
    assert 1 < calls["ReceiveMessage"] < 6
    assert len(queued.service.references) == 1


@pytest.mark.slow
def test_a_hundred_messages_take_ten_receives_and_ten_batch_deletes_and_the_rest_waits(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark shows it with five hundred, which take moto ten seconds."""
    queue = queue_of(queued)
    queued.configure(max_messages=100)
    queued.run("08:00")
    queue.is_holding = True
    for number in range(120):
        queued.service.visit("r-1", local("08:01") + timedelta(seconds=number))
    queue.release()
    calls = count_calls(monkeypatch)
    report = queued.run("08:30")
    assert (report["stats"]["messages"], report["stats"]["observed"], report["outcome"]) == (100, 100, "ok")
    assert dict(calls) == {"ReceiveMessage": 10, "DeleteMessageBatch": 10}
    assert queue.size == 20
    queued.run("08:31")
    assert (queue.size, len(queued.happened())) == (0, 120)


def test_an_empty_queue_takes_one_receive(queued: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    queued.run("08:00")
    calls = count_calls(monkeypatch)
    queued.run("08:01")
    assert dict(calls) == {"ReceiveMessage": 1}


def test_a_queue_that_cannot_be_reached_does_not_stop_the_history(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("09:30")
    queued.configure(endpoint_url="http://127.0.0.1:9")
    report = queued.run("10:00", code=3)
    assert "queue: " in report["error"]["message"]
    assert queued.window() == ("09:30", "11:30")


def test_a_plan_leaves_the_queue_alone_and_shows_what_a_pass_would_do(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queued.visit("08:30")
    calls = count_calls(monkeypatch)
    plan = json.loads(queued.pollctl("plan", "toilet_gap", "--json", now=queued.at("10:45")))
    assert [(decision["type"], decision["reason"]) for decision in plan["decisions"]][1:2] == [
        ("RaiseAlarm", "no TOILET_ACTIVITY from 2025-11-12T07:30:00.000Z to 2025-11-12T09:30:00.000Z")
    ]
    assert (dict(calls), queue.size, queued.service.references) == ({}, 1, [])
    plan = json.loads(queued.pollctl("plan", "toilet_gap", "--json", now=queued.at("08:31")))
    assert [decision.get("name") for decision in plan["decisions"]] == [OBSERVED, None]
