"""A small latency API on the loopback that behaves like the real one, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from msgspec import Struct

from pollctl.fakes import NOT_FOUND, FakeUpstream, ServerRequest, ServerResponse


class Reply(Struct, frozen=True, kw_only=True):
    """How the API answers once.

    Attributes:
        elapsed: milliseconds, or whatever a broken API would send.
        error: what went wrong, in the API's words; empty for nothing.
        status: of the HTTP answer.
        body: sent as it is, instead of the usual object.
        delay: seconds before the answer.
    """

    elapsed: Any = 0
    error: str | None = ""
    status: int = 200
    body: bytes | None = None
    delay: float = 0

    def content(self, target: str) -> bytes:
        """The body of the answer about *target*."""
        if self.body is not None:
            return self.body
        answer = {"elapsed": self.elapsed, "error": self.error, "expected": "", "ip": target, "poller": "fake"}
        return json.dumps(answer).encode()


LOST = Reply(error="Request timeout")
BROKEN = Reply(error="poller is being restarted")


class FakeApi(FakeUpstream):
    """A latency API to be used with ``with``; it answers until the block ends.

    Args:
        script: replies by target, one per request, the last again and again. Targets that are not named are
            healthy: about 20 ms.

    Attributes:
        url: for ``base_url``.
        script: what is still to be answered, by target; may be changed.
        requests: pairs of label and target, in the order of arrival.
    """

    def __init__(self, script: Mapping[str, Sequence[Reply]] | None = None, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.requests: list[tuple[str, str]] = []
        self.script = {target: list(replies) for target, replies in (script or {}).items()}
        self._random = Random(4402)  # noqa: S311 - a fake
        self._lock = threading.Lock()

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer ``/latency/LABEL/TARGET/``."""
        match request.parts:
            case ["latency", label, target]:
                reply = self.reply(label, target)
                return ServerResponse(reply.status, reply.content(target), delay=reply.delay)
            case _:
                return NOT_FOUND

    def reply(self, label: str, target: str) -> Reply:
        """The next reply about *target*."""
        with self._lock:
            self.requests.append((label, target))
            replies = self.script.get(target)
            if replies is None:
                return Reply(elapsed=round(max(0.1, self._random.gauss(20, 3)), 2))
            return replies.pop(0) if len(replies) > 1 else replies[0]
