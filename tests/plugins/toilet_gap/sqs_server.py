"""A queue over real sockets: moto's server speaks the protocol of SQS."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from pollctl_toilet_gap.client import sqs
from pollctl_toilet_gap.model import Settings

AWS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "a-key-of-no-account",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Queue:
    """One queue of moto's server, with what a real one does now and then: it delivers twice, late and out of order."""

    def __init__(self, endpoint_url: str, name: str) -> None:
        import boto3

        self.endpoint_url = endpoint_url
        self.name = name
        self.client = boto3.client(
            "sqs",
            region_name="eu-west-1",
            endpoint_url=endpoint_url,
            aws_access_key_id=AWS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=AWS["AWS_SECRET_ACCESS_KEY"],
        )
        self.is_fifo = name.endswith(".fifo")
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if self.is_fifo else {}
        self.url: str = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.held: list[str] = []
        self.is_holding = False

    def push(self, body: str) -> None:
        """Take a message for the queue; while it is holding, it comes later."""
        if self.is_holding:
            self.held.append(body)
            return
        group = {"MessageGroupId": "all"} if self.is_fifo else {}
        self.client.send_message(QueueUrl=self.url, MessageBody=body, **group)

    def release(self, *, times: int = 1, dice: random.Random | None = None) -> None:
        """Let what was held come now, several times if wanted, shuffled if there are dice."""
        bodies = self.held * times
        if dice:
            dice.shuffle(bodies)
        for first in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[first : first + 10])
            ]
            self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
        self.held, self.is_holding = [], False

    @property
    def size(self) -> int:
        """Messages that are left, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def be_visible_after(self, seconds: str = "0") -> None:
        """Let messages be visible again so many seconds after they were received."""
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": seconds})

    def time_out(self) -> None:
        """Let everything that was received and not deleted be visible again, as if its time were over."""
        from moto.sqs.models import sqs_backends

        for message in sqs_backends["123456789012"]["eu-west-1"].queues[self.name]._messages:
            message.visible_at = 0


@contextmanager
def moto_server() -> Iterator[str]:
    """Moto's server on the loopback, within this process; answers its address.

    Two deletions at once may bring back a message in moto, which copies the list without a lock; here they wait for another.
    """
    from moto.server import ThreadedMotoServer
    from moto.sqs.models import Queue as MotoQueue

    lock, delete = threading.Lock(), MotoQueue.delete_message

    def delete_alone(queue: Any, receipt_handle: str) -> Any:
        with lock:
            return delete(queue, receipt_handle)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with patch.object(MotoQueue, "delete_message", delete_alone):
        server.start()
        host, port = server.get_host_and_port()
        try:
            yield f"http://{host}:{port}"
        finally:
            server.stop()


def on_each_call(monkeypatch: pytest.MonkeyPatch, event: str, handler: Callable[..., object]) -> None:
    """Let each client that the plugin makes from now on call *handler* at an event of botocore, such as ``before-call.sqs``."""
    connect = sqs.connect

    def connect_with_handler(settings: Settings) -> Any:
        client = connect(settings)
        client.meta.events.register(event, handler)
        return client

    monkeypatch.setattr(sqs, "connect", connect_with_handler)


def count_calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The requests that the plugin's own clients make, from now on, by their names."""
    calls: Counter[str] = Counter()
    on_each_call(monkeypatch, "before-call.sqs", lambda model, **_: calls.update([model.name]))
    return calls
