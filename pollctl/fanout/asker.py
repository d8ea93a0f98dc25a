"""What lives on a worker for one pass: it makes one chunk of requests at a time, as a pass on that machine would."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import msgspec

import pollctl
from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.threads import start_daemon
from pollctl.fanout.wire import Sealed, Terms, opened_requests, sealed_replies
from pollctl.http.client import Client
from pollctl.redaction import redact

if TYPE_CHECKING:
    from tempfile import _TemporaryFileWrapper

_PATIENCE_S = 0.25
"""How long an empty-handed ``take`` waits: whoever asks has to be able to call off the rest soon."""
_GATHERING_S = 0.01
"""How long answers gather before they go together."""
_LARGEST_TAKE = 16 * 1024**2


def versions() -> dict[str, str]:
    """What both sides must have alike."""
    return {"pollctl": pollctl.__version__, "msgspec": msgspec.__version__}


class Asker:
    """Makes requests on a worker; its methods run in the worker's event loop and never hold it up.

    Args:
        terms: what holds for every exchange.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._authorities = _file_with(terms.authorities) if terms.authorities else None
        self._stop = Stop()
        self._client: Client | None = None
        self._answers: deque[Answer[int]] = deque()
        self._error: BaseException | None = None
        self._is_over = True
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return "<Asker>"

    def __del__(self) -> None:
        if self._client:
            self._client.close()

    async def begin(self, requests: Sealed, concurrency: int, allowed_s: float) -> None:
        """Begin a chunk, which ends after *allowed_s* in any case; the one before must be over."""
        if self._client is None or self._stop.requested:
            self._renew()
        self._stop.end_in(allowed_s)
        self._is_over = False
        self._news.clear()
        loop = asyncio.get_running_loop()
        start_daemon(self._make, opened_requests(requests), concurrency, loop, name="pollctl-asker")

    async def take(self) -> tuple[Sealed, bool]:
        """What was answered meanwhile, and whether that was the last of the chunk; waits for something to take, but not for long.

        Raises:
            RuntimeError: the chunk came to a bad end; it says why.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), _PATIENCE_S)
        if not self._is_over:
            await asyncio.sleep(_GATHERING_S)
        self._news.clear()
        is_over = self._is_over
        answers = self._some_answers()
        if self._error:
            raise RuntimeError(redact(f"{type(self._error).__name__}: {self._error}"))
        if self._answers or is_over:
            self._news.set()
        return sealed_replies(answers), is_over and not self._answers

    async def stop(self) -> None:
        """Begin no further request, and cut those that may be cut."""
        self._stop.request()

    def _renew(self) -> None:
        if self._client:
            self._client.close()
        self._stop = Stop()
        ca_file = Path(self._authorities.name) if self._authorities else None
        self._client = Client(self._terms.limits(ca_file), stop=self._stop)

    def _some_answers(self) -> list[Answer[int]]:
        taken, size = [], 0
        while self._answers and size < _LARGEST_TAKE:
            taken.append(self._answers.popleft())
            size += len(taken[-1].body)
        return taken

    def _make(self, requests: Sequence[Request[int]], concurrency: int, loop: asyncio.AbstractEventLoop) -> None:
        assert self._client  # noqa: S101 - begin has made it
        try:
            for answer in self._client.get_many(requests, concurrency=concurrency):
                self._answers.append(answer)
                if not self._news.is_set():
                    _tell(loop, self._news)
        except BaseException as error:  # noqa: BLE001 - told to whoever takes the answers
            self._error = error
        self._is_over = True
        _tell(loop, self._news)


def _tell(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the worker has ended
        loop.call_soon_threadsafe(news.set)


def _file_with(content: bytes) -> _TemporaryFileWrapper[bytes]:
    file = NamedTemporaryFile(prefix="pollctl-", suffix=".pem")  # noqa: SIM115 - it goes with the asker
    file.write(content)
    file.flush()
    return file
