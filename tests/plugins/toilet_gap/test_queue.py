"""The queue over real sockets, with duplicates, reordering, redelivery and everything that may lie in it."""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from plugins.toilet_gap.world import PILOT, Place, Queue, local

from pollctl import to_text
from pollctl_toilet_gap import sqs
from pollctl_toilet_gap.fake import Fault

OBSERVED, LATE, OUTSIDE, ALARM = "EVENT_OBSERVED", "EVENT_LATE", "EVENT_OUTSIDE", "ALARM_SENT"


def queue_of(place: Place) -> Queue:
    assert place.queue
    return place.queue


def body(
    at: str, *, subscription: str = "sub-1", robot: str = "r-1", name: str = "TOILET_ACTIVITY", **more: Any
) -> str:
    moment = to_text(local(at))
    source = {"id": f"{robot}@{moment}", "robotId": robot, "eventName": name, "createdAt": moment, **more}
    return json.dumps({"subscriptionId": subscription, "sourceEvent": source})


def count_calls(place: Place) -> Counter[str]:
    """The requests that the plugin's own client makes, from now on, by their names."""
    calls: Counter[str] = Counter()
    settings = place.plugin_settings()
    client = sqs.client(settings)
    client.meta.events.register("before-call.sqs", lambda model, **_: calls.update([model.name]))
    return calls


# duplicates, order, redelivery


def test_messages_that_come_several_times_and_in_any_order_give_the_same_rows(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.is_holding = True
    for minute in range(0, 60, 2):
        queued.visit(f"08:{minute:02}")
    queue.release(times=3, dice=random.Random(1))
    report = queued.run("09:00")
    assert queued.story() == [(OBSERVED, f"08:{minute:02}") for minute in range(0, 60, 2)]
    assert (report["stats"]["messages"], report["stats"]["duplicates"]) == (90, 60)
    assert queue.size == 0


def test_a_message_that_is_received_again_before_it_is_deleted_is_one_record(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.be_visible_after()
    queued.visit("08:30")
    queued.settle(max_messages=50)
    report = queued.run("08:31")
    assert report["stats"]["messages"] > 1
    assert queued.story() == [(OBSERVED, "08:30")]
    assert report["outcome"] == "ok"


def test_messages_are_deleted_only_after_what_they_said_is_committed(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queued.visit("08:30")
    queued.sql("CREATE TRIGGER full BEFORE INSERT ON status_check_incoming BEGIN SELECT RAISE(ABORT, 'no'); END")
    queued.run("08:31", code=1)
    assert (queued.story(), queue.size) == ([], 1)
    queued.sql("DROP TRIGGER full")
    queue.be_visible_after()
    queue.client.purge_queue(QueueUrl=queue.url)
    queue.push(body("08:30"))
    queued.run("08:32")
    assert (queued.story(), queue.size) == ([(OBSERVED, "08:30")], 0)


def test_a_receipt_that_expired_is_no_failure(queued: Place) -> None:
    queue = queue_of(queued)
    queue.push(body("08:30"))
    (message,) = queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=1)["Messages"]
    handles = [message["ReceiptHandle"], "an old one that nobody knows"]
    failed = sqs._delete_once(queued.plugin_settings(), queue.url, handles)
    assert (failed, queue.size) == ([], 0)


def test_messages_that_could_not_be_recorded_do_not_count_as_read(queued: Place) -> None:
    """Otherwise an alarm would go out against a visit that lies in the queue."""
    queued.settle(replay_required=False)
    queued.run("08:00")
    queued.visit("09:50")
    queued.service.faults["history"] = Fault()
    queued.sql("CREATE TRIGGER full BEFORE INSERT ON status_check_incoming BEGIN SELECT RAISE(ABORT, 'no'); END")
    queued.run("10:00", code=1)
    assert queued.service.references == []


@pytest.mark.parametrize(("times", "code", "deletes"), [(1, 0, 2), (9, 3, 2)], ids=["once", "again and again"])
def test_what_a_batch_delete_names_as_failed_is_tried_once_more_and_then_told(
    queued: Place, times: int, code: int, deletes: int
) -> None:
    queued.run("08:00")
    queued.visit("08:30")
    calls = count_calls(queued)

    def fail(parsed: dict[str, Any], **_: object) -> None:
        if calls["DeleteMessageBatch"] <= times:
            parsed["Failed"] = [{"Id": "0", "Code": "InternalError", "SenderFault": False}]

    sqs.client(queued.plugin_settings()).meta.events.register("after-call.sqs.DeleteMessageBatch", fail)
    queued.run("08:31", code=code)
    assert (queued.story(), calls["DeleteMessageBatch"]) == ([(OBSERVED, "08:30")], deletes)
    ((error,),) = queued.sql("SELECT last_error FROM outbox WHERE kind = 'delete_messages'")
    assert error == (None if code == 0 else "the queue did not delete 1 messages: InternalError")


def test_a_slow_queue_leaves_time_for_the_history_and_the_alarms(queued: Place) -> None:
    queue = queue_of(queued)
    queued.settle(deadline="3s")
    queued.run("08:00")
    queue.is_holding = True
    for number in range(100):
        queued.service.visit("r-1", local("08:01") + timedelta(seconds=number))
    queue.release()
    calls = count_calls(queued)
    events = sqs.client(queued.plugin_settings()).meta.events
    events.register("before-call.sqs.ReceiveMessage", lambda **_: time.sleep(0.5))
    report = queued.run("11:00", code=3)
    assert "queue: there was no time left to drain it" in report["error"]["message"]
    assert 1 < calls["ReceiveMessage"] < 6
    assert len(queued.service.references) == 1


# how much


def test_a_hundred_messages_take_ten_receives_and_ten_batch_deletes_and_the_rest_waits(queued: Place) -> None:
    """The benchmark shows it with five hundred, which take moto ten seconds."""
    queue = queue_of(queued)
    queued.settle(max_messages=100)
    queued.run("08:00")
    queue.is_holding = True
    for number in range(120):
        queued.service.visit("r-1", local("08:01") + timedelta(seconds=number))
    queue.release()
    calls = count_calls(queued)
    report = queued.run("08:30")
    assert (report["stats"]["messages"], report["stats"]["observed"], report["outcome"]) == (100, 100, "ok")
    assert dict(calls) == {"ReceiveMessage": 10, "DeleteMessageBatch": 10}
    assert queue.size == 20
    queued.run("08:31")
    assert (queue.size, len(queued.story())) == (0, 120)


def test_an_empty_queue_takes_one_receive(queued: Place) -> None:
    queued.run("08:00")
    calls = count_calls(queued)
    queued.run("08:01")
    assert dict(calls) == {"ReceiveMessage": 1}


# whose


FOREIGN = {
    "another subscription": {"subscription": "sub-99"},
    "another robot": {"robot": "r-9"},
    "another event": {"name": "DOOR_OPENED"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_a_message_for_somebody_else_is_counted_and_deleted(queued: Place, foreign: dict[str, str]) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.push(body("08:30", **foreign))
    assert queued.run("08:31")["stats"]["foreign"] == 1
    assert (queued.story(), queue.size) == ([], 0)


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_on_a_shared_queue_it_is_left(queued: Place, foreign: dict[str, str]) -> None:
    queue = queue_of(queued)
    queued.settle(shared_queue=True)
    queued.run("08:00")
    queue.push(body("08:30", **foreign))
    queue.push("something else altogether")
    queued.visit("08:29")
    assert queued.run("08:31")["stats"]["foreign"] == 2
    assert (queued.story(), queue.size, queued.letters()) == ([(OBSERVED, "08:29")], 2, [])


def test_poison_of_our_own_subscription_goes_from_a_shared_queue_too(queued: Place) -> None:
    queue = queue_of(queued)
    queued.settle(shared_queue=True)
    queued.run("08:00")
    queue.push(body("08:30", createdAt="soon"))
    queued.run("08:31")
    assert (len(queued.letters()), queue.size) == (1, 0)


def test_after_a_crash_behind_the_post_what_comes_by_the_lost_subscription_still_counts(queued: Place) -> None:
    queued.service.faults["subscribe"] = Fault(status=0, is_done=True)
    queued.run("08:00")
    assert len(queued.service.subscriptions) == 1
    queued.service.faults.clear()
    queued.visit("08:00:30")
    queued.run("08:01", code=1)
    assert [made.id for made in queued.service.subscribed] == ["sub-1", "sub-2"]
    queued.run("08:02")
    assert queued.story() == [(OBSERVED, "08:00:30")]


# poison, and times that are not to be believed


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    for text in ("boo", body("08:30", createdAt="2025-11-12T08:30:00"), body("08:31", id=None)):
        queue.push(text)
    queued.visit("08:32")
    report = queued.run("08:33")
    assert report["stats"]["dead_letters"] == 3
    assert (queued.story(), queue.size) == ([(OBSERVED, "08:32")], 0)
    assert len(queued.letters()) == 3
    assert any("names no zone" in reason for reason in queued.letters())


@pytest.mark.parametrize(("at", "is_believed"), [("08:36", True), ("08:36:00.001", False)])
def test_an_event_more_than_five_minutes_ahead_is_quarantined(either: Place, at: str, *, is_believed: bool) -> None:
    either.run("08:00")
    either.visit(at)
    either.run("08:31")
    assert either.story() == []
    assert len(either.letters()) == (not is_believed)
    either.passes("08:40", "10:35:59")
    assert [name for name, _ in either.story()] == ([OBSERVED] if is_believed else [ALARM])


def test_an_event_that_is_quarantined_is_not_believed_later_either_wherever_it_comes_from(either: Place) -> None:
    either.run("08:00")
    either.visit("09:50")
    if either.queue:
        either.run("08:30")
        assert len(either.letters()) == 1
    else:
        either.run("09:00")
        assert "was ahead of" in either.letters()[0]
    either.run("10:00")
    assert either.service.references == [f"1-{either.at('08:00')}"]
    assert either.story() == [(ALARM, "10:00")]
    assert len(either.letters()) == 1


def test_events_before_a_and_from_b_on_are_outside(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queue.push(body("07:59:59.999"))
    queued.visit("08:00")
    queued.run("08:01")
    assert queued.story() == [(OUTSIDE, "07:59:59"), (OBSERVED, "08:00")]
    queued.passes("18:00", "19:59")
    queue.push(body("20:00"))
    queued.run("19:59:30")
    assert queued.window() == ("18:00", "20:00")
    queued.run("20:00")
    assert queued.story()[-2:] == [(ALARM, "20:00"), (OUTSIDE, "20:00")]


def test_an_event_from_b_on_counts_after_all_if_b_becomes_later(queued: Place) -> None:
    queued.settle({**PILOT, "grace": "30m"})
    queued.run("08:00")
    for at in ("10:00", "12:00", "14:00", "16:00", "18:00", "18:30", "20:10"):
        queued.visit(at)
        queued.run(at)
    queued.settle({**PILOT, "end": "23:00", "grace": "30m"})
    queued.passes("20:15", "21:30")
    assert (queued.window(), queued.service.references) == (("20:10", "22:10"), [])


def test_what_comes_after_the_end_of_a_check_is_recorded_with_it(queued: Place) -> None:
    queue = queue_of(queued)
    queued.passes("08:00", "20:00")
    queue.push(body("19:30"))
    queue.push(body("20:01"))
    queued.run("20:02")
    assert queued.story()[-2:] == [(LATE, "19:30"), (OUTSIDE, "20:01")]
    assert queue.size == 0


# trouble with the queue


def test_a_queue_that_cannot_be_reached_does_not_stop_the_history(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("09:30")
    queued.settle(endpoint_url="http://127.0.0.1:9")
    report = queued.run("10:00", code=3)
    assert "queue: " in report["error"]["message"]
    assert queued.window() == ("09:30", "11:30")


def test_a_queue_that_says_nothing_ends_in_time(queued: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqs, "_PATIENCE_S", 0.3)
    queued.run("08:00")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queued.settle(endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        report = queued.run("10:00", code=3)
    assert "queue" in report["error"]["message"]
    assert report["duration_ms"] < 5000
    assert len(queued.service.references) == 1


def test_without_boto3_the_remedy_is_named_and_the_history_is_read(queued: Place) -> None:
    queued.run("08:00")
    (queued.folder / "boto3.py").write_text("raise ModuleNotFoundError(\"No module named 'boto3'\")")
    queued.environment["PYTHONPATH"] = str(queued.folder)
    report = queued.run_apart("10:00", code=3)
    assert "pip install 'pollctl[sqs]'" in report["error"]["message"]
    assert len(queued.service.references) == 1


def test_a_plan_leaves_the_queue_alone_and_shows_what_a_pass_would_do(queued: Place) -> None:
    queue = queue_of(queued)
    queued.run("08:00")
    queued.visit("08:30")
    calls = count_calls(queued)
    plan = json.loads(queued.do("plan", "toilet_gap", "--json", now=queued.at("10:45")))
    assert [(decision["type"], decision["reason"]) for decision in plan["decisions"]][1:2] == [
        ("RaiseAlarm", "no TOILET_ACTIVITY from 2025-11-12T07:30:00.000Z to 2025-11-12T09:30:00.000Z")
    ]
    assert (dict(calls), queue.size, queued.service.references) == ({}, 1, [])
    plan = json.loads(queued.do("plan", "toilet_gap", "--json", now=queued.at("08:31")))
    assert [decision.get("name") for decision in plan["decisions"]] == [OBSERVED, None]


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/status", "eu-west-1"),
        ("https://eu-central-1.queue.amazonaws.com/1/q", "eu-central-1"),
        ("https://sqs.us-gov-east-1.amazonaws.com/1/q", "us-gov-east-1"),
        ("http://127.0.0.1:4566/000000000000/q", "ap-south-2"),
    ],
)
def test_the_region_is_read_from_the_address_of_the_queue(
    url: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-south-2")
    assert sqs.region_of(url) == region


def test_a_day_with_both_monitors_on_one_queue(queued: Place) -> None:
    queued.settle(PILOT, {**PILOT, "name": "second", "robot_id": "r-2"})
    queued.run("08:00")
    queued.visit("08:30", robot_id="r-1")
    queued.visit("08:40", robot_id="r-2")
    queued.run("08:41")
    assert (queued.story(1), queued.story(2)) == ([(OBSERVED, "08:30")], [(OBSERVED, "08:40")])


def test_the_keys_of_the_account_are_masked_wherever_they_come_from(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pollctl.redaction import mask

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-that-an-endpoint-repeats")
    said = "signed with a-key-that-an-endpoint-repeats"
    assert mask(said) == said
    queued.run("08:00")
    assert mask(said) == "signed with ***"
