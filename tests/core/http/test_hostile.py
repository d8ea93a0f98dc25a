"""What hostile upstreams send, and what becomes of it (reliability, "Hostile upstreams")."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from core.http.exchanges import answered_by
from hostile_server import (
    OK,
    TLS,
    HostileServer,
    Peer,
    Play,
    black_hole,
    saying,
    serving,
    wait_until,
    whole,
)
from hostile_wire import (
    BREAKS,
    CAP,
    LARGE,
    NONSENSE,
    PROPER,
    SLOW,
    TRUNCATED,
    breaking,
    close_at_once,
    deaf,
    reset_at_once,
    slowly,
)

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits

LIMIT = 0.5
SLACK = 0.5


def ask(url: str, **settings: Any) -> Answer:
    with closing(Client(Limits(timeout=5, max_body=100_000), stop=Stop())) as client:
        return answered_by(client, Request(url=url, **settings))


def ask_played(play: Play, **settings: Any) -> Answer:
    with HostileServer(play) as server:
        return ask(server.url, **settings)


def callers() -> int:
    return sum(thread.name == "pollctl-call" for thread in threading.enumerate())


# --- time

NOT_WAITED_FOR = (SLOW["status line a byte at a time"], SLOW["endless 100 Continue"])
"""What libcurl refuses at once: a status line that begins with HHH, and 300 KB of heads."""


@pytest.mark.parametrize("play", SLOW.values(), ids=SLOW)
def test_an_exchange_ends_at_its_total_time_limit_and_so_does_its_thread(play: Play, engine: str) -> None:
    before = callers()
    with HostileServer(play) as server:
        began = time.monotonic()
        answer = ask(server.url, timeout=LIMIT)
        took = time.monotonic() - began
        assert answer.error is not None
        if engine == "curl" and play in NOT_WAITED_FOR:
            assert (answer.error.kind, took <= LIMIT) == ("protocol", True)
            return
        assert answer.error.kind == "timeout", answer.error
        assert f"127.0.0.1:{server.port}: no whole answer within 0.5 s" == answer.error.message
        assert LIMIT - 0.05 <= took <= LIMIT + SLACK
        assert LIMIT * 1000 - 50 <= answer.elapsed_ms <= (LIMIT + SLACK) * 1000
        assert wait_until(lambda: callers() <= before)
        assert server.connections == 1


def test_a_tls_handshake_that_hangs_ends_at_the_limit() -> None:
    with HostileServer(deaf) as server:
        began = time.monotonic()
        answer = ask(server.url.replace("http:", "https:"), timeout=LIMIT)
        assert answer.error is not None
        assert answer.error.kind == "timeout"
        assert time.monotonic() - began <= LIMIT + SLACK


def test_a_connect_into_a_black_hole_ends_at_the_limit() -> None:
    with black_hole() as url:
        began = time.monotonic()
        answer = ask(url, timeout=LIMIT)
        assert answer.error is not None
        assert answer.error.kind == "timeout"
        assert LIMIT - 0.05 <= time.monotonic() - began <= LIMIT + SLACK


DNS = """
import socket, sys, time
socket.getaddrinfo = lambda *args, **kwargs: time.sleep(60)   # a resolver that never answers
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
began = time.monotonic()
answers = list(Client(Limits(timeout=0.5, engine=sys.argv[1]), stop=Stop()).get_many(
    [Request(url=f"http://host{i}.example.net/") for i in range(4)], concurrency=2))
print([answer.error.kind for answer in answers], round(time.monotonic() - began, 1))
"""


def test_dns_that_never_answers_ends_at_the_limit_and_does_not_keep_the_process_from_exiting(engine: str) -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", DNS, engine], capture_output=True, text=True, timeout=20, check=True)
    kinds, took = done.stdout.rsplit(maxsplit=1)
    assert kinds == str(["timeout"] * 4)
    assert 1.0 <= float(took) <= 1.5  # two rounds of two, each 0.5 s
    assert time.monotonic() - began < 5


def test_a_trickle_ends_at_the_limit_also_while_the_consumer_is_busy_elsewhere() -> None:
    play = slowly(OK + b"Content-Length: 9999\r\n\r\n", b"x")

    def both(peer: Peer) -> None:
        play(peer) if peer.number else saying(whole(b"x"))(peer)

    with HostileServer(both) as server, closing(Client(Limits(timeout=LIMIT), stop=Stop())) as client:
        answers = client.get_many([Request(url=server.url)] * 2, concurrency=2)
        next(answers)
        time.sleep(LIMIT + SLACK)  # the consumer, doing something with the first answer
        late = next(answers)
        assert late.error is not None
        assert late.error.kind == "timeout"
        assert late.elapsed_ms <= (LIMIT + SLACK) * 1000


# --- size and memory

MEMORY = """
import json, sys
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
client = Client(Limits(timeout=20, max_body=int(sys.argv[3]), engine=sys.argv[4]), stop=Stop())
list(client.get_many([Request(url=sys.argv[2])], concurrency=1))
before = peak()
(answer,) = client.get_many([Request(url=sys.argv[1])], concurrency=1)
print(json.dumps([answer.error.kind if answer.error else None, len(answer.body), peak() - before]))
"""


@pytest.mark.parametrize(("play", "kind"), LARGE.values(), ids=LARGE)
def test_a_body_is_stopped_at_its_cap_with_at_most_twice_that_in_memory(
    play: Play, kind: str | None, engine: str
) -> None:
    with HostileServer(play) as server, HostileServer(serving(lambda _: whole(b"x"))) as plain:
        command = [sys.executable, "-c", MEMORY, server.url, plain.url, str(CAP), engine]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        found, size, grown = json.loads(done.stdout)
        if engine == "curl" and play is LARGE["chunk of minus one byte"][0]:
            kind = "protocol"  # which libcurl notices first
        assert found == kind
        assert size == (0 if kind else CAP)
        assert grown <= 2 * CAP
        assert wait_until(lambda: server.closed == server.connections)


# --- truncation


@pytest.mark.parametrize("sent", TRUNCATED.values(), ids=TRUNCATED)
def test_a_truncated_answer_is_an_error(sent: bytes) -> None:
    answer = ask_played(saying(sent))
    assert answer.error is not None
    assert answer.error.kind == "truncated", answer.error
    assert (answer.status, answer.body) == (0, b"")


def test_a_body_without_length_is_whole_when_the_connection_closes() -> None:
    assert ask_played(saying(OK, b"\r\n", b'{"a":1}')).body == b'{"a":1}'


# --- what is no HTTP


@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_proper_http_is_refused(sent: bytes) -> None:
    answer = ask_played(saying(sent))
    assert answer.error is not None
    assert answer.error.kind in ("protocol", "truncated"), answer.error
    assert answer.error.message.isprintable()


def test_ansi_codes_and_control_characters_of_an_upstream_are_escaped_in_messages(engine: str) -> None:
    answer = ask_played(saying(b"\x1b[31mred\x07\r\n\r\n"))
    assert answer.error is not None
    assert answer.error.message.isprintable()
    assert engine == "curl" or r"\x1b[31mred\x07" in answer.error.message


@pytest.mark.parametrize("sent", PROPER.values(), ids=PROPER)
def test_what_is_rare_but_proper_is_read(sent: bytes) -> None:
    answer = ask_played(saying(sent))
    assert (answer.status, answer.body, answer.error) == (200, b"{}", None)


# --- connections that break


@pytest.mark.parametrize("first", BREAKS.values(), ids=BREAKS)
def test_a_get_is_repeated_once_after_a_reset(first: Callable[[Peer], None]) -> None:
    with HostileServer(breaking(first)) as server:
        assert ask(server.url).body == b"again"
        assert len(server.requests) == 2


@pytest.mark.parametrize("first", [reset_at_once, close_at_once], ids=["reset", "closed"])
def test_a_head_is_repeated_once_too(first: Callable[[Peer], None]) -> None:
    with HostileServer(breaking(first)) as server:
        assert ask(server.url, method="HEAD").status == 200
        assert len(server.requests) == 2


@pytest.mark.parametrize("first", BREAKS.values(), ids=BREAKS)
def test_a_get_is_not_repeated_twice(first: Callable[[Peer], None]) -> None:
    with HostileServer(first) as server:
        answer = ask(server.url)
        assert answer.error is not None
        assert answer.error.kind == "reset"
        assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("first", BREAKS.values(), ids=BREAKS)
def test_what_may_change_the_upstream_is_never_repeated(first: Callable[[Peer], None], method: str) -> None:
    with HostileServer(breaking(first)) as server:
        answer = ask(server.url, method=method, body=b"{}")
        assert answer.error is not None
        assert answer.error.kind == "reset"
        assert len(server.requests) == 1


def test_a_repeat_stays_within_the_time_limit() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        if peer.number:
            peer.hang()
        time.sleep(0.3)
        peer.reset()

    began = time.monotonic()
    answer = ask_played(play, timeout=LIMIT)
    assert answer.error is not None
    assert answer.error.kind == "timeout"
    assert time.monotonic() - began <= LIMIT + SLACK


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_kept_connection_that_the_upstream_closed_meanwhile_is_not_used(method: str) -> None:
    def one_each(peer: Peer) -> None:
        peer.request()
        peer.send(whole(b"x"))  # keeps the connection, so it says, and closes it

    with HostileServer(one_each) as server, closing(Client(Limits(), stop=Stop())) as client:
        for asked in range(1, 4):
            assert answered_by(client, Request(url=server.url, method=method)).status == 200
            assert wait_until(lambda asked=asked: server.closed == asked)  # type: ignore[misc]
        assert len(server.requests) == 3


def test_a_connection_is_kept_for_the_next_request() -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server, closing(Client(Limits(), stop=Stop())) as client:
        assert [answered_by(client, Request(url=server.url)).body for _ in range(5)] == [b"x"] * 5
        assert server.connections == 1


def test_what_an_upstream_sends_unasked_never_becomes_the_next_answer() -> None:
    with (
        HostileServer(serving(lambda _: whole(b"x") + whole(b"smuggled"))) as server,
        closing(Client(Limits(), stop=Stop())) as client,
    ):
        assert [answered_by(client, Request(url=server.url)).body for _ in range(3)] == [b"x"] * 3


# --- TLS


@pytest.mark.parametrize(
    ("certificate", "says"),
    [("expired", "certificate has expired"), ("wrong_name", "127.0.0.1"), ("self_signed", "self-signed certificate")],
)
def test_tls_fails_closed(certificate: str, says: str) -> None:
    with HostileServer(serving(lambda _: whole(b"x")), certificate) as server:
        client = Client(Limits(ca_file=TLS / "ca.pem"), stop=Stop())
        answer = answered_by(client, Request(url=server.url))
        assert answer.error is not None
        assert answer.error.kind == "tls"
        assert says in answer.error.message
        assert server.requests == []


def test_an_authority_that_nobody_knows_is_refused_and_one_from_the_ca_file_is_not() -> None:
    with HostileServer(serving(lambda _: whole(b"x")), "good") as server:
        unknown = answered_by(Client(Limits(), stop=Stop()), Request(url=server.url))
        assert unknown.error is not None
        assert unknown.error.kind == "tls"
        with closing(Client(Limits(ca_file=TLS / "ca.pem"), stop=Stop())) as client:
            assert [answered_by(client, Request(url=server.url)).body for _ in range(2)] == [b"x"] * 2


def test_a_ca_file_that_is_missing_is_named() -> None:
    with HostileServer(serving(lambda _: whole(b"x")), "good") as server:
        answer = answered_by(Client(Limits(ca_file=TLS / "none.pem"), stop=Stop()), Request(url=server.url))
        assert answer.error is not None
        assert answer.error.kind == "local"
        assert "none.pem" in answer.error.message


def test_tls_to_a_port_that_does_not_speak_it_is_an_error() -> None:
    with HostileServer(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        answer = ask(server.url.replace("http:", "https:"), timeout=2)
        assert answer.error is not None
        assert answer.error.kind in ("tls", "timeout")


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = callers()
    yield
    assert wait_until(lambda: callers() <= before)
