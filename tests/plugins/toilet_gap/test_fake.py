"""The fake event service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from plugins.toilet_gap.place import OBSERVED, Place, body
from plugins.toilet_gap.sqs_server import AWS

from pollctl_toilet_gap.fake import FakeEventService, FakeQueue, Fault


def test_the_fake_keeps_what_it_was_given() -> None:
    with FakeEventService() as service:
        service.visit("r-1", "2025-11-12T08:30:00.000Z")
        assert json.dumps(service.incomings("r-1", "TOILET_ACTIVITY", 0)).count("08:30") == 2
        assert service.incomings("r-1", "TOILET_ACTIVITY", 1_762_936_201) == []


NAP = {"robot": "r-1", "name": "BED_ACTIVITY"}


@pytest.fixture(params=["status", "status.fifo"])
def queue(request: pytest.FixtureRequest) -> FakeQueue:
    return FakeQueue(request.param)


@pytest.fixture
def place(tmp_path: Path, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place whose event service serves its queue itself, as a demo could."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    with FakeEventService(queue=queue) as service:
        place = Place(tmp_path, service, monkeypatch)
        place.configure(replay_required=False)
        place.run("08:00")
        service.faults["history"] = Fault()
        yield place


def test_its_queue_brings_a_visit_behind_ten_other_messages(place: Place, queue: FakeQueue) -> None:
    for minute in range(10):
        queue.push(body(f"09:{minute:02}", **NAP))
    place.visit("09:30")
    place.run("10:00")
    assert (place.happened(), len(queue)) == ([(OBSERVED, "09:30")], 0)


def test_its_queue_says_what_is_in_flight_and_what_is_delayed(place: Place, queue: FakeQueue) -> None:
    queue.push(body("09:00"), delay_s=60)
    report = place.run("10:00", code=3)
    assert "the queue still has 1 message, in flight or delayed" in report["error"]["message"]
    assert (place.service.references, len(queue)) == ([], 1)


def test_a_group_of_its_queue_is_locked_until_what_was_received_is_deleted() -> None:
    queue = FakeQueue("status.fifo")
    for number in range(3):
        queue.push(str(number))
    queue.push("other", group="other")
    with FakeEventService(queue=queue) as service:
        place = [received(service, 2), received(service, 10)]
    assert place == [["0", "1"], ["other"]]


def received(service: FakeEventService, number: int) -> list[str]:
    """The bodies that one receive brings."""
    address = urlsplit(service.url)
    connection = HTTPConnection(address.hostname or "", address.port)
    asked = json.dumps({"MaxNumberOfMessages": number})
    connection.request("POST", "/", asked, {"X-Amz-Target": "AmazonSQS.ReceiveMessage"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return [message["Body"] for message in answer["Messages"]]
