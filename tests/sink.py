"""A loopback address for Apprise (``json://``) that counts what arrives by its idempotency key.

What is sent to a path that begins with ``/flaky`` is refused (503) the first time that its key comes, and not counted then.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Sink(ThreadingHTTPServer):
    """Counts what was sent by its idempotency key; ``refused`` are the keys that a flaky path has turned away once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taken)
        self.keys: Counter[str] = Counter()
        self.refused: set[str] = set()

    @property
    def url(self) -> str:
        """What Apprise addresses of this sink begin with."""
        return f"json://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no news here."""


class Taken(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        sink, key = self.server, self.headers["Idempotency-Key"]
        if self.path.startswith("/flaky") and key not in sink.refused:
            sink.refused.add(key)
            self.send_response(503)
        else:
            sink.keys[key] += 1
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def sink() -> Iterator[Sink]:
    server = Sink()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
