"""A base for the fake upstreams that demos, stories and tests of a plugin embed: a web server on the loopback device.

```python
class FakeGauge(FakeUpstream):
    level = 120.0

    def respond(self, request: ServerRequest) -> ServerResponse:
        return ServerResponse.json({"level_cm": self.level}) if request.path == "/level" else NOT_FOUND

with FakeGauge() as gauge:
    ...  # settings that lead to gauge.url
```
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

JSON: Mapping[str, str] = {"Content-Type": "application/json"}


class ServerRequest(NamedTuple):
    """A request to a fake upstream.

    Attributes:
        method: such as ``GET``.
        address: path and query, as they were sent.
        headers: by their names in lower case.
    """

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path alone, still encoded."""
        return urlsplit(self.address).path

    @property
    def parts(self) -> list[str]:
        """What stands between the slashes of the path, decoded; slashes at its ends do not count."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    @property
    def query(self) -> dict[str, str]:
        """What the query says; of several values under one name the first."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query).items()}

    @property
    def bearer(self) -> str:
        """The token that was shown; empty without one."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class ServerResponse(NamedTuple):
    """What a fake upstream sends back; ``ServerResponse.json(value, status)`` makes one of JSON.

    Attributes:
        headers: besides the length of the body; one that has none by its status (204, 304) is sent without a type.
        delay: seconds before it is sent.
        is_lost: the connection is closed instead.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = JSON
    delay: float = 0
    is_lost: bool = False

    @classmethod
    def json(cls, value: object, status: int = 200) -> Self:
        """*value* as JSON."""
        return cls(status, json.dumps(value).encode())


NOT_FOUND = ServerResponse(404, b"{}")


class Playground(NamedTuple):
    """What ``pollctl fake NAME`` serves: an upstream to try a plugin on by hand.

    A plugin offers one by a function ``playground(port)`` behind an entry point of its name in the group ``pollctl.fakes``.

    Attributes:
        upstream: not yet serving.
        settings: the section to paste into ``pollctl.toml``.
        hint: a command to begin with, and what will come of it.
    """

    upstream: FakeUpstream
    settings: str
    hint: str


class FakeUpstream:
    """To be used with ``with``: it answers until the block ends, each request in a thread of its own.

    Args:
        port: of 127.0.0.1; 0 takes a free one.

    Attributes:
        url: ``http://127.0.0.1:PORT``; known before the block begins.
        json_url: the same as ``json://``, for Apprise.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.upstream = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def json_url(self) -> str:
        """What Apprise addresses begin with that lead here, for an upstream that takes what people are told."""
        return self.url.replace("http", "json", 1)

    def respond(self, request: ServerRequest) -> ServerResponse:
        """How to answer a request; several may come at the same time."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    upstream: FakeUpstream

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are killed in the middle, but tell of a fake that raises."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one piece
    server: _Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # who asked was killed in the middle: nobody acts on half a request
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.upstream.respond(ServerRequest(self.command, self.path, headers, body))
        time.sleep(response.delay)
        if response.is_lost:
            self.close_connection = True
            return
        with suppress(OSError):  # who asked need not wait for a slow answer
            self._send(response)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that http.server looks for

    def _send(self, response: ServerResponse) -> None:
        self.send_response(response.status)
        is_empty = response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        for name, value in response.headers.items():
            if not (is_empty and name.lower() == "content-type"):
                self.send_header(name, value)
        if not is_empty:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr belongs to the program that embeds this."""
