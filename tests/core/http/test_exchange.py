"""One request and its answer, or the kind of error that came of it (core §4)."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from core.http.exchanges import answered_by, ask, error_kind, header
from hostile_server import OK, HostileServer, Peer, saying, serving, whole

from pollctl import clock
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.errors import failure_of
from pollctl.http.limits import Limits

# --- requests and answers


def test_importing_it_loads_no_http_library_and_no_tls() -> None:
    script = "import sys, pollctl.http.client, pollctl.concurrency.cancellation; print([m for m in ('requests', 'urllib3', 'ssl') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_get_says_who_asks_and_what_it_reads() -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server:
        ask(f"{server.url}a/b?c=d", Limits(user_agent="pollctl/1 (me)"), headers={"X-Mine": "1"})
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "GET /a/b?c=d HTTP/1.1"
    assert head[1:-2] == [
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: pollctl/1 (me)",
        "Accept: */*",
        "Accept-Encoding: gzip",
        "X-Mine: 1",
    ]


def test_a_post_carries_its_body_and_length() -> None:
    with HostileServer(serving(lambda _: whole(b"", status="201 Created"))) as server:
        answer = ask(server.url, method="POST", body=b'{"a":1}', headers={"content-type": "application/json"})
    assert (answer.status, answer.is_ok) == (201, True)
    assert header(server.requests[0], "content-length") == "7"
    assert server.requests[0].endswith(b'\r\n\r\n{"a":1}')


def test_a_header_of_the_request_replaces_the_usual_one() -> None:
    with HostileServer(serving(lambda _: whole(b""))) as server:
        ask(server.url, headers={"accept": "application/json", "USER-AGENT": "other"})
    assert server.requests[0].lower().count(b"accept:") == 1
    assert header(server.requests[0], "accept") == "application/json"
    assert header(server.requests[0], "user-agent") == "other"


def test_a_host_that_a_request_names_is_sent_wherever_it_leads() -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server, closing(Client(Limits(), stop=Stop())) as client:
        home = f"127.0.0.1:{server.port}"
        for host in ("127.0.0.1", "localhost", "127.0.0.1"):
            url = f"http://{host}:{server.port}/"
            assert answered_by(client, Request(url=url, headers={"Host": home})).is_ok
            assert answered_by(client, Request(url=url)).is_ok
    named, own = server.requests[::2], server.requests[1::2]
    assert [header(request, "host") for request in named] == [home] * 3
    assert [header(request, "host") for request in own] == [home, f"localhost:{server.port}", home]


def test_an_answer_has_lower_case_headers_with_repeated_ones_joined() -> None:
    sent = OK + b"Set-Cookie: a=1\r\nContent-Length: 2\r\nSET-COOKIE: b=2\r\nX-Empty:\r\n\r\nhi"
    with HostileServer(saying(sent)) as server:
        answer = ask(server.url, tag=("campus", "NB"))
    assert answer.headers == {"set-cookie": "a=1, b=2", "content-length": "2", "x-empty": ""}
    assert (answer.status, answer.body, answer.request.tag) == (200, b"hi", ("campus", "NB"))


def test_an_answer_says_when_it_was_asked_for_and_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(peer: Peer) -> None:
        peer.request()
        time.sleep(0.2)
        peer.send(whole(b"x"))

    monkeypatch.setenv(clock.VARIABLE, "2026-03-08T06:59:00Z")
    with HostileServer(late) as server:
        answer = ask(server.url)
    assert answer.started_at == datetime(2026, 3, 8, 6, 59, tzinfo=UTC)
    assert 200 <= answer.elapsed_ms < 300


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
)
def test_an_answer_that_has_no_body_is_not_waited_for(method: str, status: str) -> None:
    sent = f"HTTP/1.1 {status}\r\nContent-Length: 10\r\nContent-Encoding: gzip\r\n\r\n".encode()
    with HostileServer(serving(lambda _: sent)) as server, closing(Client(Limits(), stop=Stop())) as client:
        answers = [answered_by(client, Request(url=server.url, method=method)) for _ in range(2)]
        assert [(answer.error, answer.body) for answer in answers] == [(None, b"")] * 2
        assert server.connections == 1


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_status_of_failure_is_an_answer_and_no_error(status: int) -> None:
    with HostileServer(saying(whole(b"why", status=f"{status} No"))) as server:
        answer = ask(server.url)
    assert (answer.status, answer.body, answer.error, answer.is_ok) == (status, b"why", None, False)


def test_spaces_and_letters_beyond_ascii_are_quoted_and_what_is_quoted_stays() -> None:
    with HostileServer(serving(lambda _: whole(b""))) as server:
        ask(f"{server.url}Größe 1/%2F?q=ä&r=%20#part")
    assert server.requests[0].startswith(b"GET /Gr%C3%B6%C3%9Fe%201/%2F?q=%C3%A4&r=%20 HTTP/1.1\r\n")


BAD = {
    "no scheme": "example.net/a",
    "another scheme": "file:///etc/passwd",
    "no host": "http:///a",
    "line break": "http://127.0.0.1/a\r\nX: y",
    "NUL": "http://127.0.0.1/\0",
    "port that is none": "http://127.0.0.1:http/",
    "port too large": "http://127.0.0.1:99999/",
    "space in the host": "http://exa mple.net/",
    "backslash in the host": "http://127.0.0.1\\@example.net/",
    "label too long": f"http://{'ä' * 70}.net/",
    "empty": "",
    "broken IPv6": "http://[::1/",
}


@pytest.mark.parametrize("url", BAD.values(), ids=BAD)
def test_an_address_that_is_none_is_an_answer_with_an_error(url: str) -> None:
    answer = ask(url)
    assert error_kind(answer) == "bad_address"
    assert answer.error is not None
    assert answer.error.message.isprintable()


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nInjected: b"}, {"X": "a\0"}, {"X y": "a"}, {"X:": "a"}, {"X": "Ā"}, {"Content-Length": "3"}],
    ids=["line break", "NUL", "space in the name", "colon in the name", "beyond latin-1", "not its to set"],
)
def test_a_header_that_cannot_be_sent_is_refused_without_a_request(headers: dict[str, str]) -> None:
    with HostileServer(serving(lambda _: whole(b""))) as server:
        answer = ask(server.url, headers=headers)
        assert error_kind(answer) == "protocol"
        assert server.requests == []


# --- kinds of errors


def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = ask(f"http://127.0.0.1:{port}/")
    assert answer.error is not None
    assert (answer.error.kind, answer.error.message) == ("refused", f"127.0.0.1:{port}: connection refused")


def test_a_name_that_does_not_resolve_is_a_dns_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert error_kind(ask("http://nowhere.example.net/")) == "dns"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ENETUNREACH", "local"), ("ENETDOWN", "local"), ("EADDRNOTAVAIL", "local"), ("EACCES", "local"),
        ("ENOBUFS", "local"), ("EHOSTUNREACH", "unreachable"), ("ECONNREFUSED", "refused"),
    ],
)  # fmt: skip
def test_a_network_that_is_not_here_is_told_from_a_target_that_is_not_there(code: str, kind: str) -> None:
    number = getattr(errno, code)
    assert failure_of(OSError(number, os.strerror(number))).kind == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("EAI_NONAME", "dns"),
        ("EAI_NODATA", "dns"),
        ("EAI_AGAIN", "local"),
        ("EAI_FAIL", "local"),
        ("EAI_SYSTEM", "local"),
    ],
)
def test_a_name_that_is_not_there_is_told_from_name_servers_that_do_not_answer(code: str, kind: str) -> None:
    assert failure_of(socket.gaierror(getattr(socket, code), "no")).kind == kind


def with_few_files(engine: str, last: str, *urls: str) -> str:
    """What a process prints that asks the first address, runs out of file descriptors and goes on with *last*."""
    script = """
import resource, sys
from contextlib import suppress
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
client = Client(Limits(engine=sys.argv[1]), stop=Stop())
def ask(number):
    (answer,) = client.get_many([Request(url=sys.argv[number + 2])], concurrency=1)
    return answer
assert ask(0).status == 200
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
def fill():
    with suppress(OSError):
        while True:
            held.append(open("/dev/null"))
fill()
"""
    # A thread that ends while Python exits makes the C library load another, for which there must be a file left.
    command = [sys.executable, "-c", f"{script}{last}\nheld.clear()", engine, *urls]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


def test_connections_that_are_kept_give_way_when_files_run_out(engine: str) -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as one, HostileServer(serving(lambda _: whole(b"x"))) as two:
        assert with_few_files(engine, "print(ask(1).error or 200)", one.url, two.url) == "200\n"


def test_running_out_of_files_is_the_fault_of_this_machine(engine: str) -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as one, HostileServer(serving(lambda _: whole(b"x"))) as two:
        last = "client.close(); fill(); print(ask(1).error)"
        says = with_few_files(engine, last, one.url, two.url)
    assert says.startswith("FetchError(kind='local', message='127.0.0.1:")
    assert "Too many open files" in says


def test_no_error_message_shows_a_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    urls = [
        f"http://me:hunter2@127.0.0.1:{port}/?apikey=hunter2",
        "ftp://me:hunter2@example.net/?token=hunter2",
        "http://me:hunter2@exa mple.net/?access_token=hunter2",
    ]
    for url in urls:
        answer = ask(url)
        assert answer.error is not None
        assert "hunter2" not in answer.error.message, answer.error
