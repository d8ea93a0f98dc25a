"""What libcurl alone does, and which requests it is given (speed 7)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest
from core.http.exchanges import answered_by, error_kind
from dead_address import NAME, name_with_a_dead_address
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from hostile_server import TLS, HostileServer, Peer, saying, serving, wait_until, whole

from pollctl import ConfigError
from pollctl.api.values import Request
from pollctl.concurrency.call import Call
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.engines import why_no_curl
from pollctl.http.limits import Limits


@pytest.fixture
def engine() -> str:
    """The one of this file, in place of Python's."""
    pytest.importorskip("pycurl")
    return "curl"


@pytest.fixture
def client() -> Iterator[Client]:
    with closing(Client(Limits(timeout=5, ca_file=TLS / "ca.pem", engine="curl"), stop=Stop())) as client:
        yield client


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pollctl-c")]


# which engine


def test_a_get_and_a_head_need_no_thread_of_their_own_and_the_engine_ends_with_the_client(client: Client) -> None:
    with HostileServer(serving(lambda _: whole(b""))) as server:
        for method in ("GET", "HEAD"):
            assert answered_by(client, Request(url=server.url, method=method)).phases
        assert threads() == ["pollctl-curl"]
        client.close()
        assert wait_until(lambda: not threads())
        assert answered_by(client, Request(url=server.url)).is_ok


@pytest.mark.parametrize(
    "asked",
    [{"method": "POST"}, {"repeat": False}, {"family": 4}, {"body": b"x"}],
    ids=["post", "not repeated", "of one family", "with a body"],
)
def test_what_libcurl_would_do_otherwise_stays_on_pythons_engine(client: Client, asked: Any) -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server:
        answer = answered_by(client, Request(url=server.url, **asked))
    assert (answer.body, answer.phases) == (b"x", None)


@pytest.mark.parametrize("limits", [Limits(engine="python"), Limits(trust_env=True)], ids=["wanted", "for proxies"])
def test_all_stays_on_pythons_engine(limits: Limits) -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server, closing(Client(limits, stop=Stop())) as ours:
        assert answered_by(ours, Request(url=server.url)).phases is None


@pytest.mark.parametrize("name", ["curl", "auto"])
def test_without_the_extra_only_settings_that_name_it_fail(
    name: Literal["curl", "auto"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pycurl", None)
    with HostileServer(serving(lambda _: whole(b"x"))) as server:
        with closing(Client(Limits(engine=name), stop=Stop())) as ours:
            if name == "auto":
                assert answered_by(ours, Request(url=server.url)).is_ok
                return
            with pytest.raises(ConfigError, match=r"engine = .curl. needs the extra pollctl\[curl\]"):
                answered_by(ours, Request(url=server.url))
    assert "needs the extra" in why_no_curl()


# what it does


def test_phases_say_what_the_time_went_into(client: Client) -> None:
    def late(_: bytes) -> bytes:
        time.sleep(0.05)
        return whole(b"x")

    with HostileServer(serving(late), "good") as server:
        url = server.url.replace("127.0.0.1", "localhost")
        first, second = (answered_by(client, Request(url=url)) for _ in range(2))
    assert first.phases
    assert second.phases
    assert min(first.phases.name_ms, first.phases.connect_ms, first.phases.tls_ms) > 0
    assert first.phases.first_byte_ms >= 50
    spent = sum(getattr(first.phases, name) for name in ("name_ms", "connect_ms", "tls_ms", "first_byte_ms"))
    assert spent <= first.elapsed_ms
    assert second.phases.name_ms + second.phases.connect_ms + second.phases.tls_ms < 5


def test_a_dead_first_address_costs_a_quarter_of_a_second(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server, name_with_a_dead_address(monkeypatch, server.port):
        answer = answered_by(client, Request(url=f"http://{NAME}:{server.port}/", timeout=3))
    assert (answer.body, answer.address) == (b"x", "127.0.0.1")
    assert 200 < answer.elapsed_ms < 500
    assert answer.phases
    assert answer.phases.name_ms > 200


def test_connections_serve_again_however_many_are_in_use(client: Client) -> None:
    """libcurl counts those in use among the ones that it may keep: beyond 64 nearly each request had one of its own."""

    def late(_: bytes) -> bytes:
        time.sleep(0.02)
        return whole(b"x")

    with HostileServer(serving(late)) as server:
        answers = client.get_many((Request(url=server.url) for _ in range(600)), concurrency=120)
        assert all(answer.body == b"x" for answer in answers)
        # some: an answer may give its connection back a moment too late for the next request
        assert server.connections <= 180


def test_a_name_that_several_ask_for_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    asked: list[str] = []
    with HostileServer(serving(lambda _: whole(b"x"))) as server:

        def getaddrinfo(host: str, *_: Any) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        requests = [Request(url=f"http://one.example.net:{server.port}/{number}") for number in range(9)]
        assert [answer.body for answer in client.get_many(requests, concurrency=3)] == [b"x"] * 9
    assert asked == ["one.example.net"]


def test_what_the_consumer_does_meanwhile_is_not_time_of_an_answer(client: Client) -> None:
    def later(peer: Peer) -> None:
        peer.request()
        time.sleep(0.05 * peer.number)
        peer.send(whole(b"x"))

    with HostileServer(later) as server:
        took = []
        for answer in client.get_many([Request(url=server.url)] * 2, concurrency=2):
            took.append(answer.elapsed_ms)
            time.sleep(0.15)
    assert max(took) < 140


def two(peer: Peer) -> None:
    """Answer over HTTP/2."""
    connection = H2Connection(H2Configuration(client_side=False))
    connection.initiate_connection()
    peer.send(connection.data_to_send())
    while received := peer.sock.recv(65536):
        for event in connection.receive_data(received):
            if isinstance(event, RequestReceived):
                peer.server.requests.append(dict(event.headers)[b":path"])
                connection.send_headers(event.stream_id, [(":status", "200"), ("set-cookie", "a=1"), ("x-a", "b")])
                connection.send_data(event.stream_id, b"two", end_stream=True)
        peer.send(connection.data_to_send())


def test_what_completes_while_the_engine_is_closed_is_told() -> None:
    from pollctl.http.curl.engine import Engine

    told: list[Call] = []
    asked, is_held, is_sent = threading.Event(), threading.Event(), threading.Event()

    def play(peer: Peer) -> None:
        peer.request()
        asked.set()
        is_held.wait(5)
        peer.send(whole(b"x"))
        is_sent.set()

    def hold() -> None:
        is_held.set()
        is_sent.wait(5)
        time.sleep(0.1)  # until the answer has arrived, and the engine is to end

    with HostileServer(play) as server:
        engine = Engine(Limits(timeout=5))
        assert engine.begin(Call(Request(url=server.url), allowed=5, is_patient=False), told.append)
        assert asked.wait(5)
        engine.hand_over(hold)
        assert is_held.wait(5)
        engine.close()
    assert [call.value.body for call in told] == [b"x"]


def test_http_2_is_spoken_where_it_is_offered(client: Client) -> None:
    with HostileServer(two, "good", ["h2"]) as server:
        answers = [answered_by(client, Request(url=f"{server.url}{number}")) for number in range(2)]
        assert [(answer.status, answer.body, answer.headers["x-a"]) for answer in answers] == [(200, b"two", "b")] * 2
        assert server.requests == [b"/0", b"/1"]
        assert server.connections == 1


def test_an_authority_that_is_not_ours_is_refused() -> None:
    with HostileServer(saying(whole(b"x")), "good") as server:
        with closing(Client(Limits(engine="curl"), stop=Stop())) as ours:
            assert error_kind(answered_by(ours, Request(url=server.url))) == "tls"


def test_authorities_are_read_whatever_happens_to_their_file_later(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes((TLS / "ca.pem").read_bytes())
    with HostileServer(saying(whole(b"x")), "good") as server:
        with closing(Client(Limits(engine="curl", ca_file=file), stop=Stop())) as ours:
            assert answered_by(ours, Request(url=server.url)).is_ok
            file.unlink()
            assert answered_by(ours, Request(url=server.url)).is_ok
