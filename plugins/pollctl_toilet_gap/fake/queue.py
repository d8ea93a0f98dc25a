"""A queue as Amazon SQS has them: at least once and in any order, or, with a name that ends with ``.fifo``, in order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from pollctl.fakes import ServerRequest, ServerResponse

_TARGET = "x-amz-target"
_VISIBLE, _IN_FLIGHT, _DELAYED = (
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
)  # fmt: skip


class _Held:
    """A message that is not deleted yet."""

    def __init__(self, number: int, body: str, group: str, from_s: float) -> None:
        self.id = f"m-{number}"
        self.body, self.group = body, group
        self.from_s = from_s
        self.receives = 0

    @property
    def handle(self) -> str:
        return f"{self.id}:{self.receives}"

    @property
    def is_visible(self) -> bool:
        return time.monotonic() >= self.from_s


class FakeQueue:
    """A queue that a ``FakeEventService`` serves beside its own addresses.

    Of one that keeps the order, a group of messages is locked while one of them is received and not deleted, as the real
    one's are. It speaks the JSON protocol of SQS as far as the plugin does.

    Attributes:
        name: the last part of its address.
        visibility_s: seconds after which a message that was received and not deleted comes again.
    """

    def __init__(self, name: str = "status", *, visibility_s: float = 30) -> None:
        self.name = name
        self.visibility_s = visibility_s
        self._held: list[_Held] = []
        self._numbers = count(1)
        self._lock = threading.Lock()

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps the order."""
        return self.name.endswith(".fifo")

    def push(self, body: str, *, group: str = "all", delay_s: float = 0) -> None:
        """Take a message; of a group it is behind the others."""
        with self._lock:
            self._held.append(_Held(next(self._numbers), body, group, time.monotonic() + delay_s))

    def __len__(self) -> int:
        """Messages that are not deleted, visible or not."""
        return len(self._held)

    @staticmethod
    def is_meant(request: ServerRequest) -> bool:
        """Whether a request is for a queue."""
        return request.headers.get(_TARGET, "").startswith("AmazonSQS.")

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer a request for it."""
        asked: dict[str, Any] = json.loads(request.body)
        with self._lock:
            match request.headers[_TARGET].partition(".")[2]:
                case "ReceiveMessage":
                    return ServerResponse.json({"Messages": [*self._receive(asked.get("MaxNumberOfMessages", 1))]})
                case "DeleteMessageBatch":
                    return ServerResponse.json(self._delete(asked["Entries"]))
                case "GetQueueAttributes":
                    return ServerResponse.json({"Attributes": self._attributes()})
                case other:
                    return ServerResponse.json({"__type": f"{other} is not what this queue does"}, 400)

    def _receive(self, number: int) -> Iterator[dict[str, str]]:
        locked = {one.group for one in self._held if self.is_fifo and not one.is_visible}
        ready = [one for one in self._held if one.is_visible and one.group not in locked]
        for one in (ready if self.is_fifo else [*reversed(ready)])[:number]:
            one.receives += 1
            one.from_s = time.monotonic() + self.visibility_s
            yield {"MessageId": one.id, "ReceiptHandle": one.handle, "Body": one.body}

    def _delete(self, entries: list[dict[str, str]]) -> dict[str, Any]:
        done = {entry["ReceiptHandle"] for entry in entries}
        self._held = [one for one in self._held if one.handle not in done]
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}

    def _attributes(self) -> dict[str, str]:
        """As of SQS: text, and a message that was never received and cannot be yet is delayed."""
        visible = sum(one.is_visible for one in self._held)
        delayed = sum(not one.is_visible and not one.receives for one in self._held)
        numbers = {_VISIBLE: visible, _IN_FLIGHT: len(self._held) - visible - delayed, _DELAYED: delayed}
        return {name: str(number) for name, number in numbers.items()}
