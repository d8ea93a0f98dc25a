"""The exchanges of one pass: at the rate that is allowed, and none after the upstream asked for a pause."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from pollctl import Answer, Request, Run
from pollctl_stockx_ops.client.rate_limiter import RateLimiter
from pollctl_stockx_ops.client.responses import hold_of
from pollctl_stockx_ops.model import Hold

CUT_OFF = ("deadline", "stopped")
"""Kinds of errors that only mean that the pass ended first: the next pass asks again."""


class ApiSession:
    """Sends requests to the API and the token endpoint; used by many threads.

    Args:
        run: the pass.
        limiter: keeps the rate of all requests together.
    """

    def __init__(self, run: Run, limiter: RateLimiter) -> None:
        self._run = run
        self._limiter = limiter
        self._holds: dict[str, Hold] = {}

    @property
    def is_over(self) -> bool:
        """Whether no request to the API may start any more: it wants a pause, or the pass must end."""
        return self._limiter.is_closed or self._run.is_stopping or self.is_held(self._run.settings.base_url)

    def is_held(self, url: str) -> bool:
        """Whether the host of *url* asked earlier passes for a pause that is not over."""
        return self._run.held_until(host_of(url)) is not None

    def send(self, request: Request, *, unless: Callable[[], bool] | None = None) -> Answer | None:
        """Make one exchange as soon as the rate allows.

        Args:
            request: to the API or the token endpoint.
            unless: asked once the request may start; when it answers True, the request is not sent after all.

        Returns:
            The answer; None when nothing was sent, or the pass ended before the answer came.
        """
        if not self._limiter.acquire():
            return None
        try:
            answer = None if unless and unless() else self._run.send(request)
        finally:
            self._limiter.release()
        if answer is None or (answer.error is not None and answer.error.kind in CUT_OFF):
            return None
        self._obey_pause(answer, host_of(request.url))
        return answer

    def close(self) -> None:
        """Let no further request start in this pass."""
        self._limiter.close()

    def take_holds(self) -> list[Hold]:
        """The pauses that were asked for since the last time."""
        return [self._holds.pop(host) for host in list(self._holds)]

    def _obey_pause(self, answer: Answer, host: str) -> None:
        if hold := hold_of(answer, host, self._run.now):
            self._holds[host] = hold
            self.close()


def host_of(url: str) -> str:
    """Host and port of an address, as pauses are remembered by."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
