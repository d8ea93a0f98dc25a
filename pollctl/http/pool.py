"""The few connections of a pass that are kept open for the next request."""

from __future__ import annotations

import resource
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from urllib3.util import make_headers

from pollctl.http.client_certificate import ClientCertificate
from pollctl.http.connection import Connection, Line, SecureLine
from pollctl.http.verification import verifying
from pollctl.urls import Address, Origin

if TYPE_CHECKING:
    import ssl

MOST_KEPT = 64  # connections kept open without a request, over all origins; at most a quarter of what may be open


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
        self._is_closed = False

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
        """Keep a connection for the next request, unless nobody will make one."""
        with self._lock:
            self._kept.append(connection)
            surplus = self._kept.pop(0) if self._is_closed or len(self._kept) > self._most else None
        if surplus:
            surplus.close()

    def clear(self) -> bool:
        """Close what is kept; answers whether there was anything."""
        with self._lock:
            kept, self._kept = self._kept, []
        for connection in kept:
            connection.close()
        return bool(kept)

    def close(self) -> None:
        """Close what is kept, and what is given later: an exchange that nobody waits for may still complete."""
        self._is_closed = True
        self.clear()

    def _line(self, origin: Origin, proxy: Address | None, certificate: ClientCertificate | None) -> Line | SecureLine:
        via = proxy.origin if proxy else origin
        if origin.scheme == "http":
            return Line(via.host, via.port)
        with self._lock:
            context = self._contexts.get(certificate) or self._contexts.setdefault(
                certificate, verifying(self._ca_file, certificate)
            )
        line = SecureLine(via.host, via.port, ssl_context=context)
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


def proxy_headers(proxy: Address) -> dict[str, str]:
    """What a proxy is told besides the request: its password, if it has one."""
    return make_headers(proxy_basic_auth=proxy.userinfo.decode("latin-1")) if proxy.userinfo else {}
