"""Connections of urllib3.

urllib3 speaks HTTP; what is added here is that another thread can end what hangs, whatever it hangs in.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection

from pollctl.http.client_certificate import ClientCertificate
from pollctl.http.connecting import open_socket
from pollctl.http.redirects import refuse_metadata
from pollctl.http.strict_response import StrictResponse
from pollctl.urls import Address, Origin

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

LONGEST_WAIT_S = 86_400.0  # poll(2) counts milliseconds up to 24 days; who waits longer asks again


class Line(HTTPConnection):
    """urllib3's connection, opened to whichever address answers first."""

    family = 0
    peer = ""

    def _new_conn(self) -> socket.socket:
        return _open(self)


class SecureLine(HTTPSConnection):
    """The same over TLS."""

    family = 0
    peer = ""

    def _new_conn(self) -> socket.socket:
        return _open(self)


def _open(line: Line | SecureLine) -> socket.socket:
    timeout = line.timeout if line.timeout is not None else LONGEST_WAIT_S
    began = time.monotonic()
    host, options = line._dns_host, line.socket_options  # noqa: SLF001 - as urllib3's own _new_conn does
    connected = open_socket(host, line.port, timeout=timeout, family=line.family, options=options or ())
    line.peer = connected.address
    connected.socket.settimeout(max(0.001, timeout - (time.monotonic() - began)))
    return connected.socket


class Connection:
    """A connection that is open, or about to be.

    Args:
        origin: where it leads to.
        proxy: where it goes through, if anywhere.
        line: urllib3's connection.
        certificate: what the upstream is shown, if anything.

    Attributes:
        address: of the upstream, once connected; empty through a proxy.
    """

    def __init__(
        self,
        origin: Origin,
        proxy: Address | None,
        line: Line | SecureLine,
        certificate: ClientCertificate | None = None,
    ) -> None:
        self.origin = origin
        self.address = ""
        self.proxy = proxy
        self.certificate = certificate
        self.is_used = False
        self._line = line
        self._line.response_class = StrictResponse
        self._sock: socket.socket | None = None  # http.client forgets its own when the answer ends the connection

    def connect(self, until: float, *, was_redirected: bool) -> None:
        """Open the connection, by ``time.monotonic`` *until*.

        Raises:
            Failure: the redirect led to an address that no redirect may lead to.
            OSError, urllib3.exceptions.HTTPError: as urllib3 raises it.
        """
        self._line.timeout = _left(until)
        self._line.connect()
        self._sock = self._line.sock
        if not self.proxy and self._sock is not None:
            self.address = self._line.peer
            if was_redirected:
                refuse_metadata(self._sock.getpeername()[0])

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, until: float
    ) -> HTTPResponse:
        """Send a request and read the head of its answer."""
        self.is_used = True
        self._line.timeout = _left(until)
        if self._sock is not None:
            self._sock.settimeout(_left(until))
        self._line.request(
            method,
            target,
            body=body,
            headers=headers,
            preload_content=False,
            decode_content=False,
            enforce_content_length=True,
        )
        return self._line.getresponse()

    @property
    def family(self) -> int:
        """4 or 6 where only such addresses were asked for, else 0."""
        return self._line.family

    @property
    def is_stale(self) -> bool:
        """Whether the upstream closed it, or sent what nobody asked for, while it was kept."""
        return not self._line.is_connected

    @property
    def is_reusable(self) -> bool:
        """Whether the last answer left it open and read to its end."""
        return self._line.sock is not None and not self.is_stale

    def shut(self) -> None:
        """End whatever another thread is reading or writing here."""
        sock = self._sock or self._line.sock  # the latter while the handshake hangs
        if sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's, which is for its own thread

    def close(self) -> None:
        """Close it."""
        self._line.close()
        if self._sock is not None:
            self._sock.close()


def _left(until: float) -> float:
    left: float = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, LONGEST_WAIT_S)
