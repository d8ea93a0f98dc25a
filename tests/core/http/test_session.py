"""``run.session``: a session of requests that keeps our limits and rules (speed 6)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from core.http.exchanges import header
from hostile_server import HostileServer, Peer, Play, black_hole, saying, serving, whole
from requests.adapters import HTTPAdapter
from requests.auth import HTTPDigestAuth

from pollctl import Secret, fetch_error
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.http.session import Session

CAP = 10_000


@contextmanager
def session(stop: Stop | None = None, **settings: Any) -> Iterator[Session]:
    with closing(Client(Limits(timeout=5, max_body=CAP), stop=stop or Stop())) as client:
        yield Session(client.made, **settings)


def by_path(**answers: bytes) -> Play:
    """Answer by the last part of the path asked for."""
    return serving(lambda request: answers[request.split()[1].decode().rpartition("/")[2].partition("?")[0] or "home"])


# as requests does


def test_what_is_asked_and_answered_is_as_requests_has_it() -> None:
    answer = whole(b'{"n": 1}', "Content-Type: application/json", status="201 Created")
    with HostileServer(serving(lambda _: answer)) as server, session() as ours:
        ours.headers["X-All"] = "1"
        got = ours.post(f"{server.url}orders?a=b", json={"q": 2}, headers={"X-One": "2"}, auth=("me", "word"))
    asked = server.requests[0]
    assert asked.startswith(b"POST /orders?a=b HTTP/1.1\r\n")
    assert asked.endswith(b'\r\n\r\n{"q": 2}')
    assert [header(asked, name) for name in ("x-all", "x-one", "user-agent")] == ["1", "2", "pollctl"]
    assert header(asked, "authorization") == requests.auth._basic_auth_str("me", "word")
    assert (got.status_code, got.reason, got.json(), got.url) == (201, "Created", {"n": 1}, f"{server.url}orders?a=b")
    assert got.headers["Content-TYPE"] == "application/json"


def test_a_digest_of_the_password_is_sent_when_it_is_asked_for() -> None:
    refusal = whole(b"", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"', status="401 Unauthorized")

    def answer(request: bytes) -> bytes:
        return whole(b"in") if header(request, "authorization") else refusal

    with HostileServer(serving(answer)) as server, session() as ours:
        assert ours.get(server.url, auth=HTTPDigestAuth("me", "word")).text == "in"


# limits


@pytest.mark.parametrize("limit", [0.3, (0.1, 0.2)], ids=["total", "pair"])
def test_a_trickled_answer_ends_at_the_limit(limit: Any) -> None:
    def play(peer: Peer) -> None:
        peer.request()
        peer.trickle(whole(b"x" * 1000))

    with HostileServer(play) as server, session() as ours:
        began = time.monotonic()
        with pytest.raises(requests.Timeout, match=r"no whole answer within 0\.3 s"):
            ours.get(server.url, timeout=limit)
        assert 0.29 <= time.monotonic() - began < 0.6


def test_a_large_body_is_refused_and_the_session_may_have_a_limit_of_its_own() -> None:
    with HostileServer(serving(lambda _: whole(b"x" * (CAP + 1)))) as server:
        with session() as ours, pytest.raises(requests.RequestException, match="larger than") as raised:
            ours.get(server.url, stream=True)
        assert fetch_error(raised.value).kind == "too_large"
        with session(max_body=CAP + 1) as ours:
            assert len(ours.get(server.url).content) == CAP + 1


def test_a_streamed_body_is_read_in_pieces() -> None:
    with HostileServer(serving(lambda _: whole(b"one\ntwo\n"))) as server, session() as ours:
        with ours.get(server.url, stream=True) as got:
            assert list(got.iter_lines()) == [b"one", b"two"]
        assert ours.get(server.url, stream=True).raw.read(3) == b"one"


def test_once_the_pass_must_end_nothing_is_asked() -> None:
    stop = Stop()
    stop.request()
    with HostileServer(saying(whole(b""))) as server, session(stop) as ours:
        with pytest.raises(requests.RequestException) as raised:
            ours.get(server.url)
        assert fetch_error(raised.value).kind == "stopped"
    assert not server.requests


# errors


def _refused(_: str) -> str:
    with HostileServer(saying()) as server:
        return server.url


@pytest.mark.parametrize(
    ("url", "kind", "error"),
    [
        (_refused, "refused", requests.ConnectionError),
        (lambda url: f"{url}cut", "truncated", requests.exceptions.ChunkedEncodingError),
        (lambda url: f"{url}nonsense", "protocol", requests.RequestException),
        (lambda url: f"{url}away", "redirect", requests.TooManyRedirects),
    ],
    ids=["refused", "truncated", "protocol", "redirect"],
)
def test_errors_are_those_of_requests_and_have_our_kinds(
    url: Callable[[str], str], kind: str, error: type[Exception]
) -> None:
    answers = {
        "cut": whole(b"12")[:-1].replace(b"Length: 2", b"Length: 3"),
        "nonsense": b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
        "away": whole(b"", "Location: http://127.0.0.2:1/", status="302 Found"),
    }

    def play(peer: Peer) -> None:
        peer.send(answers[peer.request().split()[1].decode().removeprefix("/")])

    with HostileServer(play) as server, session() as ours:
        with pytest.raises(error) as raised:
            ours.get(url(server.url))
        assert fetch_error(raised.value).kind == kind


def test_a_secret_of_the_address_is_masked_in_what_is_raised() -> None:
    Secret("s3cr3t-in-path")
    with HostileServer(
        serving(lambda _: whole(b"", "Location: /s3cr3t-in-path\\:x:y//", status="302 Found"))
    ) as server:
        with session() as ours, pytest.raises(requests.RequestException) as raised:
            ours.get(f"{server.url}s3cr3t-in-path", timeout=1)
        assert "s3cr3t-in-path" not in str(raised.value)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"verify": False}, "ca_file"),
        ({"verify": "/etc/authorities.pem"}, "ca_file"),
        ({"cert": "mine.pem"}, "client_cert"),
        ({"proxies": {"http": "http://127.0.0.1:9"}}, "trust_env"),
    ],
    ids=["verify", "authority", "certificate", "proxy"],
)
def test_what_the_settings_say_cannot_be_said_otherwise(asked: Any, says: str) -> None:
    with HostileServer(serving(lambda _: whole(b""))) as server, session() as ours:
        with pytest.raises(ValueError, match=says):
            ours.get(server.url, **asked)
        for name, value in asked.items():
            setattr(ours, name, value)
        with pytest.raises(ValueError, match=says):
            ours.get(server.url)
    assert not server.connections


@pytest.mark.parametrize("prefix", ["https://api", "HTTP://", "http:", "h", ""])
def test_nothing_else_can_be_mounted_where_http_would_go_through_it(prefix: str) -> None:
    with session() as ours, pytest.raises(ValueError, match=re.escape(f"mounted at {prefix!r}")):
        ours.mount(prefix, HTTPAdapter())


def test_zeep_takes_it_with_what_it_mounts_for_files(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text("<schema/>")

    def play(peer: Peer) -> None:
        peer.request()
        peer.trickle(whole(b"x" * 1000))

    with HostileServer(play) as server, session() as ours:
        transport: Any = zeep.Transport(session=ours, operation_timeout=0.3)  # type: ignore[no-untyped-call]  # zeep has no types
        assert transport.load((tmp_path / "a.xsd").as_uri()) == b"<schema/>"
        with pytest.raises(requests.Timeout, match=r"no whole answer within 0\.3 s"):
            transport.post(server.url, "<a/>", {})


# redirects


def test_a_get_is_sent_on_within_its_origin_and_says_where_it_came_to() -> None:
    play = by_path(home=whole(b"", "Location: /there", status="302 Found"), there=whole(b"arrived"))
    with HostileServer(play) as server, session() as ours:
        got = ours.get(server.url)
        assert (got.text, got.url) == ("arrived", f"{server.url}there")
        assert ours.get(server.url, allow_redirects=False).status_code == 302
        assert ours.post(server.url, data=b"x").status_code == 302
    assert [request.split()[0] for request in server.requests] == [b"GET", b"GET", b"GET", b"POST"]


def test_other_hosts_are_gone_to_only_where_the_session_allows_it() -> None:
    with HostileServer(serving(lambda _: whole(b"elsewhere"))) as other:
        away = whole(b"", f"Location: {other.url}", status="302 Found")
        with HostileServer(serving(lambda _: away)) as server:
            with session() as ours, pytest.raises(requests.TooManyRedirects, match="another origin"):
                ours.get(server.url)
            with session(allow_hosts=[f"127.0.0.1:{other.port}"]) as ours:
                got = ours.get(server.url, auth=("me", "word"))
    assert (got.text, header(other.requests[0], "authorization")) == ("elsewhere", None)


# cookies


def test_cookies_of_every_hop_last_as_long_as_the_session() -> None:
    play = by_path(
        login=whole(
            b"", "Location: /home", "Set-Cookie: id=1; Path=/", "Set-Cookie: deep=2; Path=/a", status="302 Found"
        ),
        home=whole(b"", "Set-Cookie: seen=yes; Path=/"),
    )
    with HostileServer(play) as server, session() as ours:
        assert ours.get(f"{server.url}login").cookies.get_dict() == {"seen": "yes"}
        ours.post(server.url)
        ours.get(f"{server.url}a/home", cookies={"mine": "3"})
        ours.get(server.url, headers={"Cookie": "only=4"})
        assert ours.cookies.get_dict() == {"id": "1", "deep": "2", "seen": "yes"}
    sent = [set((header(request, "cookie") or "").split("; ")) for request in server.requests]
    both = {"id=1", "seen=yes"}
    assert sent == [{""}, {"id=1"}, both, {*both, "deep=2", "mine=3"}, {"only=4"}]


def test_cookies_that_an_sdk_sets_in_place_of_the_sessions_are_sent_and_added_to() -> None:
    play = by_path(login=whole(b"", "Set-Cookie: id=1; Path=/"), home=whole(b""))
    with HostileServer(play) as server, session() as ours:
        ours.cookies = requests.cookies.RequestsCookieJar()
        ours.cookies["mine"] = "0"
        ours.get(f"{server.url}login")
        ours.get(server.url)
        assert ours.cookies.get_dict() == {"mine": "0", "id": "1"}
    assert [set((header(one, "cookie") or "").split("; ")) for one in server.requests] == [
        {"mine=0"},
        {"mine=0", "id=1"},
    ]


def test_another_session_knows_nothing_of_them() -> None:
    with HostileServer(serving(lambda _: whole(b"", "Set-Cookie: id=1"))) as server:
        for _ in range(2):
            with session() as ours:
                ours.get(server.url)
    assert [header(request, "cookie") for request in server.requests] == [None, None]


def test_more_cookies_than_there_is_room_for_are_passed_over() -> None:
    cookies = [f"Set-Cookie: n{number}={'x' * 4000}" for number in range(6)]
    with HostileServer(serving(lambda _: whole(b"", *cookies))) as server, session() as ours:
        for _ in range(2):
            ours.get(server.url)
        assert sorted(ours.cookies.get_dict()) == ["n0", "n1", "n2", "n3"]


def test_a_server_that_never_accepts_costs_the_limit() -> None:
    with black_hole() as url, session() as ours, pytest.raises(requests.Timeout):
        ours.get(url, timeout=0.1)
