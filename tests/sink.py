"""A loopback address for Apprise (``json://``) that counts what arrives by its idempotency key.

What is sent to a path that begins with ``/flaky`` is refused (503) the first time that its key comes, and not counted then.
"""

from __future__ import annotations

from collections import Counter

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse


class Sink(FakeUpstream):
    """Counts what was sent by its idempotency key; ``refused`` are the keys that a flaky path has turned away once."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: Counter[str] = Counter()
        self.refused: set[str] = set()

    def respond(self, request: ServerRequest) -> ServerResponse:
        key = request.headers["idempotency-key"]
        if request.path.startswith("/flaky") and key not in self.refused:
            self.refused.add(key)
            return ServerResponse(503)
        self.keys[key] += 1
        return ServerResponse(204)
