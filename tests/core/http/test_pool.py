"""Connections that are kept for the next request of a pass."""

from __future__ import annotations

import time

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl.http.pool import Pool
from pollctl.urls import address_of


class Upstream(FakeUpstream):
    def respond(self, request: ServerRequest) -> ServerResponse:
        return ServerResponse()


def test_what_comes_back_after_the_end_is_closed() -> None:
    """An exchange that nobody waits for any more may complete all the same."""
    with Upstream() as upstream:
        pool = Pool(None)
        connections = [pool.take(address_of(upstream.url).origin, None) for _ in range(2)]
        for connection in connections:
            connection.connect(time.monotonic() + 5, was_redirected=False)
        pool.give(connections[0])
        pool.close()
        pool.give(connections[1])
        assert [connection.is_stale for connection in connections] == [True, True]
