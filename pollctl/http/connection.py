"""Connections of urllib3, and the few that are kept open for the next request.

urllib3 speaks HTTP; what is added here is that another thread can end what hangs, whatever it hangs in.
"""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import make_headers

from pollctl.http.client_certificate import ClientCertificate
from pollctl.http.connecting import open_socket
from pollctl.http.errors import Failure
from pollctl.http.redirects import refuse_metadata
from pollctl.http.strict_response import StrictResponse
from pollctl.urls import Address, Origin

if TYPE_CHECKING:
    import ssl

    from urllib3 import HTTPResponse

MOST_KEPT = 64  # connections kept open without a request, over all origins; at most a quarter of what may be open
LONGEST_WAIT_S = 86_400.0  # poll(2) counts milliseconds up to 24 days; who waits longer asks again


class _Line(HTTPConnection):
    """urllib3's connection, opened to whichever address answers first."""

    family = 0
    peer = ""

    def _new_conn(self) -> socket.socket:
        return _open(self)


class _SecureLine(HTTPSConnection):
    family = 0
    peer = ""

    def _new_conn(self) -> socket.socket:
        return _open(self)


def _open(line: _Line | _SecureLine) -> socket.socket:
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
        line: _Line | _SecureLine,
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


class Pool:
    """Connections of one pass, and what they have in common.

    Args:
        ca_file: further certificate authorities, in PEM.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._kept: list[Connection] = []
        self._most = most_kept()
        self._contexts: dict[ClientCertificate | None, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def take(
        self,
        origin: Origin,
        proxy: Address | None,
        certificate: ClientCertificate | None = None,
        *,
        family: int = 0,
        fresh: bool = False,
    ) -> Connection:
        """A connection kept open, the latest first, or one that must still connect; never one that showed another certificate."""
        while kept := None if fresh else self._pop((origin, proxy, certificate, family)):
            if not kept.is_stale:
                return kept
            kept.close()
        line = self._line(origin, proxy, certificate)
        line.family = family
        return Connection(origin, proxy, line, certificate)

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            self._kept.append(connection)
            surplus = self._kept.pop(0) if len(self._kept) > self._most else None
        if surplus:
            surplus.close()

    def clear(self) -> bool:
        """Close what is kept; answers whether there was anything."""
        with self._lock:
            kept, self._kept = self._kept, []
        for connection in kept:
            connection.close()
        return bool(kept)

    def _line(
        self, origin: Origin, proxy: Address | None, certificate: ClientCertificate | None
    ) -> _Line | _SecureLine:
        via = proxy.origin if proxy else origin
        if origin.scheme == "http":
            return _Line(via.host, via.port)
        with self._lock:
            context = self._contexts.get(certificate) or self._contexts.setdefault(
                certificate, verifying(self._ca_file, certificate)
            )
        line = _SecureLine(via.host, via.port, ssl_context=context)
        if proxy:
            line.set_tunnel(origin.host, origin.port, proxy_headers(proxy), scheme="http")
        return line

    def _pop(self, wanted: tuple[Origin, Address | None, ClientCertificate | None, int]) -> Connection | None:
        with self._lock:
            for index in range(len(self._kept) - 1, -1, -1):
                kept = self._kept[index]
                if (kept.origin, kept.proxy, kept.certificate, kept.family) == wanted:
                    return self._kept.pop(index)
        return None


def most_kept() -> int:
    """How many connections are kept open without a request."""
    return min(MOST_KEPT, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)


def verifying(ca_file: Path | None, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """What verifies upstreams: the public authorities and *ca_file*; there is no way to switch it off.

    Args:
        ca_file: further authorities, in PEM.
        certificate: what upstreams are shown.

    Raises:
        Failure: ``local``, when one of them cannot be used.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=certifi.where())
    except OSError as error:
        raise Failure("local", f"the public authorities cannot be read: {error}") from error
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise Failure("local", f"the ca_file {ca_file} cannot be read: {error}") from error
    try:
        if certificate:
            certificate.load_into(context)
    except ValueError as error:
        raise Failure("local", f"the client certificate cannot be used: {error}") from error
    return context


def proxy_headers(proxy: Address) -> dict[str, str]:
    """What a proxy is told besides the request: its password, if it has one."""
    return make_headers(proxy_basic_auth=proxy.userinfo.decode("latin-1")) if proxy.userinfo else {}


def _left(until: float) -> float:
    left: float = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, LONGEST_WAIT_S)
