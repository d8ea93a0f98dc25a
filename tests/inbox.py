"""Where messages of a test arrive: a web hook (``json://``) on the loopback device."""

from __future__ import annotations

import json
from typing import Any

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse


class Inbox(FakeUpstream):
    """Keeps what is sent to it; paths that end with a status, such as ``/B-401``, refuse with it until they are mended."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.requests: list[ServerRequest] = []
        self.is_mended = False

    @property
    def titles(self) -> list[str]:
        """Those of the messages, in the order of their arrival."""
        return [message["title"] for message in self.messages]

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of the requests, refused ones too."""
        return [request.headers["idempotency-key"] for request in self.requests]

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Take a message, or refuse it as its path says."""
        self.requests.append(request)
        status = request.path.rpartition("-")[2]
        if status.isdigit() and not self.is_mended:
            return ServerResponse(int(status), f"no entry for {request.path.strip('/')}".encode())
        self.messages.append(json.loads(request.body))
        return ServerResponse(204)
