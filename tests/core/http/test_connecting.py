"""Connections to names with several addresses, as browsers make them (RFC 8305)."""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from pollctl.http.connecting import ATTEMPT_DELAY_S, in_turns, most_telling, open_socket

Silent = Callable[[str], int]


@pytest.fixture
def silent() -> Iterator[Silent]:
    """An address on which nothing answers a connection: its backlog is full, so that the system drops what comes."""
    with ExitStack() as open_ones:

        def fill(host: str) -> int:
            server = open_ones.enter_context(closing(socket.create_server((host, 0), backlog=0)))
            for _ in range(3):
                attempt = open_ones.enter_context(closing(socket.socket()))
                attempt.setblocking(False)
                attempt.connect_ex(server.getsockname())
            time.sleep(0.05)
            return int(server.getsockname()[1])

        yield fill


@pytest.fixture
def listening() -> Iterator[Callable[[str, int], None]]:
    with ExitStack() as open_ones:

        def listen(host: str, port: int) -> None:
            open_ones.enter_context(closing(socket.create_server((host, port))))

        yield listen


def resolver(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """What the system's resolver answers for ``many.example.net``."""

    def getaddrinfo(host: str, port: int, family: int = 0, *_: Any) -> list[Any]:
        assert host == "many.example.net"
        kinds = {one: socket.AF_INET6 if ":" in one else socket.AF_INET for one in hosts}
        return [(kind, socket.SOCK_STREAM, 6, "", (one, port)) for one, kind in kinds.items() if family in (0, kind)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_dead_first_address_costs_a_quarter_of_a_second(
    monkeypatch: pytest.MonkeyPatch, silent: Silent, listening: Callable[[str, int], None]
) -> None:
    port = silent("127.0.0.2")
    listening("127.0.0.1", port)
    resolver(monkeypatch, "127.0.0.2", "127.0.0.1")
    connected = open_socket("many.example.net", port, timeout=2)
    connected.socket.close()
    assert connected.address == "127.0.0.1"
    assert ATTEMPT_DELAY_S <= connected.waited_s < ATTEMPT_DELAY_S + 0.5


def test_an_address_that_refuses_makes_room_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        resolver(monkeypatch, "127.0.0.2", "127.0.0.1")
        connected = open_socket("many.example.net", port, timeout=2)
    connected.socket.close()
    assert connected.address == "127.0.0.1"
    assert connected.waited_s < ATTEMPT_DELAY_S


def test_all_addresses_share_the_time_limit(monkeypatch: pytest.MonkeyPatch, silent: Silent) -> None:
    port = silent("127.0.0.2")
    resolver(monkeypatch, "127.0.0.2", "127.0.0.2")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        open_socket("many.example.net", port, timeout=0.4)
    assert 0.4 <= time.monotonic() - began < 0.8


def test_a_slow_first_address_may_still_win(monkeypatch: pytest.MonkeyPatch, silent: Silent) -> None:
    """The attempt that went first is not given up when the next one starts, and the next one refuses."""
    port = silent("127.0.0.2")
    resolver(monkeypatch, "127.0.0.2", "127.0.0.3")
    with pytest.raises(TimeoutError):  # the refusal of the second does not end the first
        open_socket("many.example.net", port, timeout=0.5)


def test_only_addresses_of_the_wanted_kind_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        resolver(monkeypatch, "::1", "127.0.0.1")
        connected = open_socket("many.example.net", port, timeout=1, family=4)
    connected.socket.close()
    assert connected.address == "127.0.0.1"


def test_families_take_turns_the_first_choice_first() -> None:
    found: list[Any] = [(10, 1, 6, "", "a6"), (10, 1, 6, "", "b6"), (2, 1, 6, "", "a4"), (2, 1, 6, "", "b4")]
    assert [one[4] for one in in_turns(found)] == ["a6", "a4", "b6", "b4"]
    assert [one[4] for one in in_turns(found[1:])] == ["b6", "a4", "b4"]


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([errno.ENETUNREACH, errno.ECONNREFUSED], errno.ECONNREFUSED),
        ([errno.EADDRNOTAVAIL, errno.ENETUNREACH], errno.EADDRNOTAVAIL),
        ([errno.EHOSTUNREACH, errno.ECONNREFUSED], errno.EHOSTUNREACH),
    ],
    ids=["no IPv6 here, refused by IPv4", "no network at all", "the first that tells"],
)
def test_what_the_target_says_counts_more_than_what_is_missing_here(errors: list[int], told: int) -> None:
    assert most_telling([OSError(code, "no") for code in errors]).errno == told


def test_a_peer_that_resets_at_once_was_connected_all_the_same() -> None:
    """What it says of the connection comes when it is used; the address is known from the attempt."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def reset() -> None:
            accepted, _ = server.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()

        resetting = threading.Thread(target=reset)
        resetting.start()
        connected = open_socket("127.0.0.1", server.getsockname()[1], timeout=2)
        resetting.join()
    connected.socket.close()
    assert connected.address == "127.0.0.1"
