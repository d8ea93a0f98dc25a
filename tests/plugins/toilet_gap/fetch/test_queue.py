"""Draining the queue over real sockets, with duplicates, reordering and redelivery."""

from __future__ import annotations

import json
import random
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from plugins.toilet_gap.place import OBSERVED, Place, body, local, queue_of
from plugins.toilet_gap.sqs_server import Queue, count_calls, on_each_call

from pollctl_toilet_gap.fake import Fault

pytestmark = pytest.mark.slow


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


NAP = {"robot": "r-1", "name": "BED_ACTIVITY"}


@pytest.fixture
def fifo(queued: Place, moto_url: str) -> Place:
    """A place whose queue keeps the order of its messages; all are of one group."""
    queued.queue = Queue(moto_url, f"q-{uuid4()}.fifo")
    queued.service.push = queued.queue.push
    queued.configure(queue_url=queued.queue.url, endpoint_url=queued.queue.endpoint_url, replay_required=False)
    queued.run("08:00")
    return queued


def test_a_visit_behind_ten_others_of_its_group_is_seen(fifo: Place) -> None:
    for minute in range(10):
        queue_of(fifo).push(body(f"09:{minute:02}", **NAP))
    fifo.visit("09:30")
    fifo.service.faults["history"] = Fault()
    fifo.run("10:00")
    assert (fifo.happened(), fifo.window()) == ([(OBSERVED, "09:30")], ("09:30", "11:30"))
    assert (fifo.service.references, queue_of(fifo).size) == ([], 0)


def test_a_queue_that_keeps_the_order_is_read_on_after_each_deletion(
    fifo: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(25):
        queue_of(fifo).push(body(f"09:{minute:02}", **NAP))
    calls = count_calls(monkeypatch)
    report = fifo.run("09:30")
    assert (report["stats"]["messages"], queue_of(fifo).size) == (25, 0)
    assert dict(calls) == {"ReceiveMessage": 4, "DeleteMessageBatch": 3, "GetQueueAttributes": 1}


def waiting(queued: Place, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A queue of which one message is in flight with somebody else, and no history; answers its attributes, to be changed."""
    attributes = {"ApproximateNumberOfMessagesNotVisible": "1"}
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    on_each_call(
        monkeypatch, "after-call.sqs.GetQueueAttributes", lambda parsed, **_: parsed["Attributes"].update(attributes)
    )
    return attributes


@pytest.mark.parametrize("name", ["NotVisible", "Delayed", ""])
def test_while_a_message_is_in_flight_the_verdict_waits_for_three_passes_and_the_alarm_then_says_so(
    queued: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    attributes = waiting(queued, monkeypatch)
    attributes.clear()
    attributes[f"ApproximateNumberOfMessages{name}"] = "1"
    for minute in range(3):
        report = queued.run(f"10:0{minute}", code=3)
        assert queued.service.references == []
    assert "the queue still has 1 message, in flight or delayed" in report["error"]["message"]
    queued.run("10:03", code=3)
    assert queued.service.references == [f"1-{queued.at('08:00')}"]
    ((unread,),) = queued.sql("SELECT unread FROM status_check_record WHERE event_name = 'ALARM_SENT'")
    assert "the history: the event service answered 503" in unread
    assert "the queue still has 1 message" in unread


@pytest.mark.parametrize(("at", "alarms"), [("10:04:59.999", 0), ("10:05", 1)])
def test_it_waits_for_five_minutes_at_most(
    queued: Place, monkeypatch: pytest.MonkeyPatch, at: str, alarms: int
) -> None:
    waiting(queued, monkeypatch)
    queued.run("10:00", code=3)
    queued.run(at, code=3)
    assert len(queued.service.references) == alarms


def test_as_soon_as_the_queue_was_read_to_its_end_the_alarm_goes_out(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    attributes = waiting(queued, monkeypatch)
    queued.run("10:00", code=3)
    attributes["ApproximateNumberOfMessagesNotVisible"] = "0"
    queued.run("10:01", code=3)
    assert len(queued.service.references) == 1


def test_what_the_pass_itself_received_is_not_in_flight_any_more(queued: Place) -> None:
    queued.configure(replay_required=False)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    queue_of(queued).push(body("09:00", **NAP))
    queued.run("10:00", code=3)
    assert len(queued.service.references) == 1


def test_of_a_shared_queue_two_receives_that_bring_nothing_are_the_end_and_check_warns(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.configure(replay_required=False, shared_queue=True)
    queued.run("08:00")
    queued.service.faults["history"] = Fault()
    queue_of(queued).push(body("09:00", robot="r-9"))
    calls = count_calls(monkeypatch)
    queued.run("10:00", code=3)
    assert dict(calls) == {"ReceiveMessage": 3}
    assert len(queued.service.references) == 1
    found = json.loads(queued.pollctl("check", "--json"))
    assert [one["text"] for one in found if "shared_queue" in one["text"]]
    queued.configure(replay_required=True)
    assert "shared_queue with" not in queued.pollctl("check")


def test_a_queue_outside_of_amazons_is_its_own_endpoint(queued: Place) -> None:
    queued.configure(endpoint_url="")
    queued.run("08:00")
    queued.visit("08:30")
    queued.run("08:31")
    assert queued.happened() == [(OBSERVED, "08:30")]


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
