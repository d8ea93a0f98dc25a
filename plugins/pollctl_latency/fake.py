"""A small latency API on the loopback that behaves like the real one, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Self
from urllib.parse import unquote

from msgspec import Struct


class Reply(Struct, frozen=True, kw_only=True):
    """How the API answers once.

    Attributes:
        elapsed: milliseconds, or whatever a broken API would say.
        error: the API's word for what went wrong; empty for nothing.
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
        said = {"elapsed": self.elapsed, "error": self.error, "expected": "", "ip": target, "poller": "fake"}
        return json.dumps(said).encode()


LOST = Reply(error="Request timeout")
BROKEN = Reply(error="poller is being restarted")


class FakeApi:
    """A latency API to be used with ``with``; it answers until the block ends.

    Args:
        script: replies by target, one per request, the last again and again. Targets that are not named are
            healthy: about 20 ms.

    Attributes:
        url: for ``base_url``.
        script: what is still to be answered, by target; may be changed.
        asked: pairs of label and target, in the order of the requests.
    """

    def __init__(self, script: Mapping[str, Sequence[Reply]] | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.script = {target: list(replies) for target, replies in (script or {}).items()}
        self._dice = Random(4402)  # noqa: S311 - a fake
        self._turn = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Asked)
        self._server.api = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, label: str, target: str) -> Reply:
        """The next reply about *target*."""
        with self._turn:
            self.asked.append((label, target))
            replies = self.script.get(target)
            if replies is None:
                return Reply(elapsed=round(max(0.1, self._dice.gauss(20, 3)), 2))
            return replies.pop(0) if len(replies) > 1 else replies[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    api: FakeApi

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that went away."""


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = [unquote(part) for part in self.path.split("/")]
        if len(parts) != 5 or parts[1] != "latency":  # noqa: PLR2004 - "/latency/label/target/"
            self._answer(404, b"no such page")
            return
        reply = self.server.api.reply(parts[2], parts[3])
        time.sleep(reply.delay)
        with suppress(ConnectionError):  # who asked need not wait for a slow answer
            self._answer(reply.status, reply.content(parts[3]))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr belongs to the program that embeds this."""
