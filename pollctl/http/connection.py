"""One connection to one origin, perhaps through a proxy, and the few that are kept for the next request."""

from __future__ import annotations

import re
import resource
import select
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pollctl.http.address import Address, Origin, refuse_metadata
from pollctl.http.failure import Failure
from pollctl.http.reply import Reply, Wire

if TYPE_CHECKING:
    import ssl

MOST_KEPT = 64  # connections kept open without a request, over all origins; at most a quarter of what may be open
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = {"content-length", "transfer-encoding", "connection"}


class Connection:
    """A connection that is open, or about to be.

    Args:
        origin: where it leads to.
        proxy: where it goes through, if anywhere.
        context: what verifies the upstream, made when TLS is spoken.
    """

    def __init__(self, origin: Origin, proxy: Address | None, context: Callable[[], ssl.SSLContext]) -> None:
        self.origin = origin
        self.proxy = proxy
        self.is_used = False
        self._context = context
        self._sock: socket.socket | None = None
        self._wire: Wire

    def connect(self, until: float, *, was_redirected: bool) -> None:
        """Open the connection, by ``time.monotonic`` *until*.

        Raises:
            Failure: the proxy refuses, or the redirect led to an address that no redirect may lead to.
            OSError: as socket and ssl raise it.
        """
        via = self.proxy.origin if self.proxy else self.origin
        sock = socket.create_connection((via.host, via.port), _left(until))
        self._sock = sock  # known from here on, so that it can be shut while the handshake hangs
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if was_redirected and not self.proxy:
            refuse_metadata(sock.getpeername()[0])
        if self.origin.scheme == "https":
            if self.proxy:
                self._tunnel(sock, self.proxy, until)
            sock.settimeout(_left(until))
            self._sock = sock = self._encrypted(sock)
            sock.do_handshake()
        self._wire = Wire(sock)

    def ask(self, request: bytes, method: str, until: float) -> Reply:
        """Send a request and read the head of its answer."""
        assert self._sock is not None  # noqa: S101 - connect comes first
        self.is_used = True
        self._sock.settimeout(_left(until))
        self._wire.until = until
        self._sock.sendall(request)
        return Reply(self._wire, method)

    @property
    def is_stale(self) -> bool:
        """Whether the upstream closed it, or sent what nobody asked for, while it was kept."""
        if self._sock is None:
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def shut(self) -> None:
        """End whatever another thread is reading or writing here."""
        if self._sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # not SSLSocket's, which is for its own thread

    def close(self) -> None:
        """Close it."""
        if self._sock is not None:
            self._sock.close()

    def _encrypted(self, sock: socket.socket) -> ssl.SSLSocket:
        return self._context().wrap_socket(sock, server_hostname=self.origin.host, do_handshake_on_connect=False)

    def _tunnel(self, sock: socket.socket, proxy: Address, until: float) -> None:
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        lines = [f"CONNECT {host}:{self.origin.port} HTTP/1.1", f"Host: {host}:{self.origin.port}"]
        lines += [f"Proxy-Authorization: {basic(proxy.userinfo)}"] if proxy.userinfo else []
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        wire = Wire(sock)
        wire.until = until
        status = Reply(wire, "HEAD").status
        if status != 200:  # noqa: PLR2004 - of the proxy
            raise Failure("unreachable", f"the proxy {proxy.origin.authority} answered {status}")


class Pool:
    """Connections of one pass, and what they have in common.

    Args:
        ca_file: further certificate authorities, in PEM.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._kept: list[Connection] = []
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = MOST_KEPT if files < 0 else min(MOST_KEPT, files // 4)
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def take(self, origin: Origin, proxy: Address | None, *, fresh: bool = False) -> Connection:
        """A connection kept open, the latest first, or one that must still connect."""
        while kept := None if fresh else self._pop(origin, proxy):
            if not kept.is_stale:
                return kept
            kept.close()
        return Connection(origin, proxy, self.context)

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

    def context(self) -> ssl.SSLContext:
        """What verifies upstreams: the public authorities and *ca_file*; there is no way to switch it off.

        Raises:
            Failure: ``local``, when *ca_file* cannot be read.
        """
        import ssl

        import certifi

        with self._lock:
            if self._context is None:
                context = ssl.create_default_context(cafile=certifi.where())
                context.set_alpn_protocols(["http/1.1"])
                try:
                    context.load_verify_locations(self._ca_file) if self._ca_file else None
                except OSError as error:
                    raise Failure("local", f"the ca_file {self._ca_file} cannot be read: {error}") from error
                self._context = context
            return self._context

    def _pop(self, origin: Origin, proxy: Address | None) -> Connection | None:
        with self._lock:
            for index in range(len(self._kept) - 1, -1, -1):
                if self._kept[index].origin == origin and self._kept[index].proxy == proxy:
                    return self._kept.pop(index)
        return None


def request_bytes(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """A request as it goes over the wire.

    Raises:
        Failure: ``protocol``, when the method or a header cannot be sent as it is.
    """
    if not _TOKEN.fullmatch(method):
        raise Failure("protocol", f"no HTTP method: {method!r}")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or _BAD_VALUE.search(value) or name.lower() in _OURS:
            raise Failure(
                "protocol",
                f"the header {name!r} cannot be sent: not a plain name and value, or not yours to set",
            )
        lines.append(f"{name}: {value}")
    if body is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body or b'')}")
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
    except UnicodeEncodeError as error:
        raise Failure("protocol", "a header holds characters beyond latin-1") from error


def basic(userinfo: bytes) -> str:
    """The value of an Authorization header for ``user:password``."""
    return "Basic " + b64encode(userinfo).decode()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
