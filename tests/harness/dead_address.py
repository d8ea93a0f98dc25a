"""A name with two addresses, the first of which never answers a connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest

NAME = "two.example.net"
DEAD, LIVING = "127.0.0.2", "127.0.0.1"


@contextmanager
def name_with_a_dead_address(monkeypatch: pytest.MonkeyPatch, port: int) -> Iterator[None]:
    """While the block lasts, ``NAME`` has ``DEAD`` before ``LIVING``, where something listens on *port*."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, service: Any, *more: Any, **names: Any) -> list[Any]:
        if host not in (NAME, NAME.encode()):
            return ask(host, service, *more, **names)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in (DEAD, LIVING)]

    with ExitStack() as open_ones:
        dead = open_ones.enter_context(closing(socket.create_server((DEAD, port), backlog=0)))
        for _ in range(3):  # its backlog is full then, and the system drops what comes
            attempt = open_ones.enter_context(closing(socket.socket()))
            attempt.setblocking(False)
            attempt.connect_ex(dead.getsockname())
        time.sleep(0.05)
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield
