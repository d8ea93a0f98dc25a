"""The client of the queue: what it deletes, how long it waits, and whose keys it uses."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from plugins.toilet_gap.place import OBSERVED, Place, body, queue_of
from plugins.toilet_gap.sqs_server import count_calls, on_each_call

from pollctl import HttpUrl, Run
from pollctl_toilet_gap.client import sqs
from pollctl_toilet_gap.model import Settings


def test_a_receipt_that_expired_is_not_a_failure(queued: Place) -> None:
    queue = queue_of(queued)
    queue.push(body("08:30"))
    (message,) = queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=1)["Messages"]
    handles = [message["ReceiptHandle"], "an old one that nobody knows"]
    run = SimpleNamespace(settings=queued.plugin_settings(), once=lambda _, make: make())
    failed = sqs._delete_once(cast("Run", run), queue.url, handles)
    assert (failed, queue.size) == ([], 0)


def test_a_pass_makes_one_client_for_all_its_requests_and_closes_it(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.run("08:00")
    queued.visit("08:30")
    closed: list[str] = []
    connect = sqs.connect

    def connect_and_watch(settings: Settings) -> Any:
        client = connect(settings)
        monkeypatch.setattr(client, "close", lambda: closed.append("closed"))
        return client

    monkeypatch.setattr(sqs, "connect", connect_and_watch)
    calls = count_calls(monkeypatch)
    queued.run("08:31")
    assert (sum(calls.values()), closed) == (3, ["closed"])


@pytest.mark.parametrize(("times", "code", "deletes"), [(1, 0, 2), (9, 3, 2)], ids=["once", "again and again"])
def test_what_a_batch_delete_names_as_failed_is_tried_once_more_and_then_an_error(
    queued: Place, times: int, code: int, deletes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.run("08:00")
    queued.visit("08:30")
    calls = count_calls(monkeypatch)

    def fail(parsed: dict[str, Any], **_: object) -> None:
        if calls["DeleteMessageBatch"] <= times:
            parsed["Failed"] = [{"Id": "0", "Code": "InternalError", "SenderFault": False}]

    on_each_call(monkeypatch, "after-call.sqs.DeleteMessageBatch", fail)
    queued.run("08:31", code=code)
    assert (queued.happened(), calls["DeleteMessageBatch"]) == ([(OBSERVED, "08:30")], deletes)
    ((error,),) = queued.sql("SELECT last_error FROM outbox WHERE kind = 'delete_messages'")
    assert error == (None if code == 0 else "the queue did not delete 1 message: InternalError")


def test_a_queue_that_says_nothing_ends_in_time(queued: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    queued.run("08:00")
    monkeypatch.setattr(sqs, "_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queued.configure(endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        report = queued.run("10:00", code=3)
    assert "queue" in report["error"]["message"]
    assert report["duration_ms"] < 5000
    assert len(queued.service.references) == 1


def test_without_boto3_the_remedy_is_named_and_the_history_is_read(queued: Place) -> None:
    queued.run("08:00")
    (queued.folder / "boto3.py").write_text("raise ModuleNotFoundError(\"No module named 'boto3'\")")
    queued.env["PYTHONPATH"] = str(queued.folder)
    report = queued.run_apart("10:00", code=3)
    assert "pip install 'pollctl[sqs]'" in report["error"]["message"]
    assert len(queued.service.references) == 1


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


@pytest.mark.parametrize(
    ("url", "endpoint", "expected"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/1/q", None, None),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", None, None),
        ("http://127.0.0.1:7808/123456789012/q1", None, "http://127.0.0.1:7808"),
        ("https://sqs.example.net/amazonaws.com/q", None, "https://sqs.example.net"),
        ("https://amazonaws.com.example.net/1/q", None, "https://amazonaws.com.example.net"),
        ("http://127.0.0.1:7808/1/q", "http://localhost:4566", "http://localhost:4566"),
    ],
)
def test_a_queue_that_is_not_amazons_is_its_own_endpoint(url: str, endpoint: str | None, expected: str | None) -> None:
    settings = Settings(queue_url=HttpUrl(url), endpoint_url=HttpUrl(endpoint) if endpoint else None)
    assert sqs.endpoint_of(settings) == expected


def test_the_region_of_the_settings_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-of-no-account")
    queue_url = HttpUrl("https://sqs.eu-west-1.amazonaws.com/1/q")
    client = sqs.connect(Settings(queue_url=queue_url, region="ap-south-2"))
    assert client.meta.region_name == "ap-south-2"
    client.close()


def test_the_keys_of_the_account_are_masked_wherever_they_come_from(
    queued: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pollctl.redaction import mask

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-that-an-endpoint-repeats")
    message = "signed with a-key-that-an-endpoint-repeats"
    assert mask(message) == message
    queued.run("08:00")
    assert mask(message) == "signed with ***"
