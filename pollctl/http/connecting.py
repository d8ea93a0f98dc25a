"""Opening a TCP connection as browsers do: all addresses of a name side by side (RFC 8305), so that a dead one costs no wait.

No library of ours does it without an event loop: urllib3 tries one address after the other, each with the whole time limit.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from selectors import EVENT_WRITE, PollSelector
from types import TracebackType
from typing import Any, NamedTuple, Self

ATTEMPT_DELAY_S = 0.25
"""How long the next address waits while the one before it says nothing (RFC 8305, section 5)."""
FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_SAYS_NOTHING = (errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Errors of this machine, which has no way to addresses of a kind: those of the other addresses say more."""

AddressInfo = tuple[Any, Any, int, str, Any]
"""One row of ``socket.getaddrinfo``."""


class Connected(NamedTuple):
    """A connection, the address that answered first, and how many seconds it took, the look-up of the name not counted."""

    socket: socket.socket
    address: str
    waited_s: float


def open_socket(
    host: str, port: int, *, timeout: float, family: int = 0, options: Iterable[tuple[int, int, int | bytes]] = ()
) -> Connected:
    """Connect to whichever address of *host* answers first.

    Args:
        host: a name or an address.
        port: a port.
        timeout: seconds for all addresses together.
        family: 4 or 6 for addresses of that kind only, else 0.
        options: of the socket, as ``setsockopt`` takes them.

    Raises:
        TimeoutError: none answered in time.
        OSError: none can be reached; where they fail for different reasons, one that says something about the target.
    """
    found = socket.getaddrinfo(host, port, FAMILIES[family], socket.SOCK_STREAM)
    with _Race(in_turns(found), options) as race:
        return race.winner(timeout)


def addresses_of(host: str, port: int, *, timeout: float) -> list[str]:
    """The addresses of *host*, the one that answers first in front: where there are several, all are tried.

    Raises:
        TimeoutError: none of several answered in time.
        OSError: the name leads nowhere; none of several can be reached.
    """
    found = in_turns(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
    addresses = [str(one[4][0]) for one in found]
    if len(addresses) == 1:
        return addresses
    with _Race(found, ()) as race:
        won = race.winner(timeout)
    won.socket.close()
    return [won.address, *(address for address in addresses if address != won.address)]


def in_turns(found: Sequence[AddressInfo]) -> list[AddressInfo]:
    """Addresses by turns of their families, the resolver's first choice first (RFC 8305, section 4)."""
    first = [one for one in found if one[0] == found[0][0]]
    others = [one for one in found if one[0] != found[0][0]]
    return [one for one in chain.from_iterable(zip_longest(first, others)) if one is not None]


class _Race:
    """Attempts side by side; all but the winner's are closed at the end."""

    def __init__(self, addresses: Iterable[AddressInfo], options: Iterable[tuple[int, int, int | bytes]]) -> None:
        self._waiting = deque(addresses)
        self._options = list(options)
        self._selector = PollSelector()  # it needs no file of its own, which there may not be
        self._open: set[socket.socket] = set()
        self._addresses: dict[socket.socket, str] = {}  # the peer may be gone before it can be asked
        self._errors: list[OSError] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for attempt in self._open:
            attempt.close()
        self._selector.close()

    def winner(self, timeout: float) -> Connected:
        """The first connection; *timeout* seconds are for all."""
        began = time.monotonic()
        until, next_at = began + timeout, began
        while self._waiting or self._open:
            now = time.monotonic()
            if now >= until:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if self._waiting and (now >= next_at or not self._open):
                self._start(self._waiting.popleft())
                next_at = now + ATTEMPT_DELAY_S
                continue
            failed = len(self._errors)
            won = self._first_of_those_ready(min(next_at, until) - now if self._waiting else until - now)
            if won is not None:
                return Connected(won, self._addresses[won], time.monotonic() - began)
            if len(self._errors) > failed:
                next_at = now  # who failed makes room for the next at once
        raise most_telling(self._errors)

    def _start(self, to: AddressInfo) -> None:
        family, kind, protocol, _, address = to
        try:
            attempt = socket.socket(family, kind, protocol)
        except OSError as error:
            self._errors.append(error)
            return
        try:
            for option in self._options:
                attempt.setsockopt(*option)
            attempt.setblocking(False)
            code = attempt.connect_ex(address)
        except OSError as error:
            code = error.errno or errno.EINVAL
        if code in (0, errno.EINPROGRESS):
            self._selector.register(attempt, EVENT_WRITE, attempt)
            self._open.add(attempt)
            self._addresses[attempt] = str(address[0])
            return
        attempt.close()
        self._errors.append(OSError(code, os.strerror(code)))

    def _first_of_those_ready(self, wait_s: float) -> socket.socket | None:
        for key, _ in self._selector.select(wait_s):
            attempt: socket.socket = key.data
            self._selector.unregister(attempt)
            self._open.discard(attempt)
            code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code in (0, errno.ECONNRESET):  # the latter once it was connected: who uses it will hear of it
                return attempt
            attempt.close()
            self._errors.append(OSError(code, os.strerror(code)))
        return None


def most_telling(errors: Sequence[OSError]) -> OSError:
    """Of several errors the first that says something about the target; the first of all where none does."""
    return next((error for error in errors if error.errno not in _SAYS_NOTHING), errors[0])
