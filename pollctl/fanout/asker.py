"""What lives on a worker for one pass: it makes requests as a pass on that machine would."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import msgspec

import pollctl
from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.threads import start_daemon
from pollctl.fanout.wire import Sealed, Terms, cut, opened_requests, sealed_replies
from pollctl.http.client import Client
from pollctl.redaction import redact

if TYPE_CHECKING:
    from tempfile import _TemporaryFileWrapper

_PATIENCE_S = 0.1
"""How long an empty-handed ``trade`` waits: whoever asks may have more, or call off the rest."""
_GATHERING_S = 0.01
"""How long answers gather before they go together."""
_LARGEST_BATCH = 1024**2
"""How many bytes of answers go together, if it is not one that is larger."""
_LARGEST_MESSAGE = 256 * 1024
"""How many go at once: whoever listens must hear something in time, though many workers share a slow line."""


def versions() -> dict[str, str]:
    """What both sides must have alike."""
    return {"pollctl": pollctl.__version__, "msgspec": msgspec.__version__}


class _Feed:
    """Requests that come by and by, of which so many are made at a time."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.requests: deque[Request[int]] = deque()
        self.is_closed = False

    def __iter__(self) -> Iterator[Request[int] | None]:
        while self.requests or not self.is_closed:
            yield self.requests.popleft() if self.requests else None


class _Basket:
    """What was answered and not taken yet, and whose answers are still to come."""

    def __init__(self) -> None:
        self.answers: deque[Answer[int]] = deque()
        self.at_work: set[_Feed] = set()
        self.error: BaseException | None = None
        self.news = asyncio.Event()

    def take(self) -> list[Answer[int]]:
        """As many as may go together."""
        taken, size = [], 0
        while self.answers and size < _LARGEST_BATCH:
            taken.append(self.answers.popleft())
            size += len(taken[-1].body)
        return taken

    def fill(self, client: Client, feed: _Feed, loop: asyncio.AbstractEventLoop) -> None:
        """Make what is fed, in a thread of its own."""
        try:
            for answer in client.get_fed(feed, concurrency=feed.concurrency):
                self.answers.append(answer)
                if not self.news.is_set():
                    self._tell(loop)
        except BaseException as error:  # noqa: BLE001 - told to whoever takes the answers
            self.error = error
        self.at_work.discard(feed)
        self._tell(loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the worker has ended
            loop.call_soon_threadsafe(self.news.set)


class Asker:
    """Makes requests on a worker; its methods run in the worker's event loop and never hold it up.

    It goes with the connection of its pass, and what it has in hand goes with it.

    Args:
        terms: what holds for every exchange.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._authorities = _file_with(terms.authorities) if terms.authorities else None
        self._stop = Stop()
        self._client: Client | None = None
        self._feed = _Feed(0)
        self._basket = _Basket()
        self._parts: deque[Sealed] = deque()

    def __repr__(self) -> str:
        return "<Asker>"

    def __del__(self) -> None:
        self._stop.request()
        if self._client:
            self._client.close()

    async def trade(self, requests: Sealed, concurrency: int, allowed_s: float) -> tuple[Sealed, bool, bool]:
        """Take requests, and answer what was answered meanwhile; waits for something to answer, but not for long.

        Args:
            requests: to be made beside those that it has in hand.
            concurrency: how many are made at a time.
            allowed_s: in which all must have ended.

        Returns:
            The answers or, of large ones, the first part; whether further parts follow; and whether there may be more answers.

        Raises:
            RuntimeError: it came to a bad end; it says why.
        """
        if fresh := opened_requests(requests):
            self._take(fresh, concurrency)
        self._stop.end_in(allowed_s)
        basket = self._basket
        with suppress(TimeoutError):
            await asyncio.wait_for(basket.news.wait(), _PATIENCE_S)
        await asyncio.sleep(_GATHERING_S)
        basket.news.clear()
        may_be_more = bool(basket.at_work)  # asked before they are taken
        answers = basket.take()
        if basket.error:
            raise RuntimeError(redact(f"{type(basket.error).__name__}: {basket.error}"))
        if basket.answers:
            basket.news.set()
        self._parts = deque(cut(sealed_replies(answers), _LARGEST_MESSAGE))
        return *await self.next_part(), may_be_more or bool(basket.answers)

    async def next_part(self) -> tuple[Sealed, bool]:
        """The next part of what ``trade`` has begun to answer, and whether another follows."""
        return self._parts.popleft(), bool(self._parts)

    async def stop(self) -> None:
        """Begin no further request, and cut those that may be cut."""
        self._stop.request()

    def _take(self, requests: Iterable[Request[int]], concurrency: int) -> None:
        if self._client is None or self._stop.requested:
            self._renew()
        if self._feed not in self._basket.at_work or self._feed.concurrency != concurrency:
            self._feed.is_closed = True
            self._feed = _Feed(concurrency)
            self._basket.at_work.add(self._feed)
            loop = asyncio.get_running_loop()
            start_daemon(self._basket.fill, self._client, self._feed, loop, name="pollctl-asker")
        self._feed.requests.extend(requests)

    def _renew(self) -> None:
        if self._client:
            self._client.close()
        self._stop = Stop()
        ca_file = Path(self._authorities.name) if self._authorities else None
        self._client = Client(self._terms.limits(ca_file), stop=self._stop)


def _file_with(content: bytes) -> _TemporaryFileWrapper[bytes]:
    file = NamedTemporaryFile(prefix="pollctl-", suffix=".pem")  # noqa: SIM115 - it goes with the asker
    file.write(content)
    file.flush()
    return file
