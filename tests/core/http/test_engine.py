"""The one way out: requests, answers, redirects, credentials, kinds of errors, deadline and signals (core §1.6)."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hostile_server import OK, TLS, HostileServer, Peer, Play, saying, serving, wait_until, whole

from pollctl import clock
from pollctl.http import Client, Limits
from pollctl.model import Answer, Request
from pollctl.stop import Stop


def ask(url: str, limits: Limits | None = None, **settings: Any) -> Answer:
    with closing(Client(limits or Limits(timeout=5), stop=Stop())) as client:
        return client.send(Request(url=url, **settings))


def error_kind(answer: Answer) -> str:
    assert answer.error is not None
    return answer.error.kind


def header(request: bytes, name: str) -> str | None:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {line.partition(":")[0].lower(): line.partition(": ")[2] for line in lines}.get(name.lower())


# --- requests and answers


def test_importing_it_loads_no_http_library_and_no_tls() -> None:
    script = (
        "import sys, pollctl.http, pollctl.stop; print([m for m in ('requests', 'urllib3', 'ssl') if m in sys.modules])"
    )
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
        answers = [client.send(Request(url=server.url, method=method)) for _ in range(2)]
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


def test_a_network_that_is_not_there_is_unreachable() -> None:
    assert error_kind(ask("http://255.255.255.255/", timeout=1)) == "unreachable"


def with_few_files(last: str, *urls: str) -> str:
    """What a process prints that asks the first address, runs out of file descriptors and goes on with *last*."""
    script = """
import resource, sys
from contextlib import suppress
from pollctl.http import Client, Limits
from pollctl.model import Request
from pollctl.stop import Stop
client = Client(Limits(), stop=Stop())
requests = [Request(url=url) for url in sys.argv[1:]]
assert client.send(requests[0]).status == 200
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
def fill():
    with suppress(OSError):
        while True:
            held.append(open("/dev/null"))
fill()
"""
    # A thread that ends while Python exits makes the C library load another, for which there must be a file left.
    command = [sys.executable, "-c", f"{script}{last}\nheld.clear()", *urls]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


def test_connections_that_are_kept_give_way_when_files_run_out() -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as one, HostileServer(serving(lambda _: whole(b"x"))) as two:
        assert with_few_files("print(client.send(requests[1]).error or 200)", one.url, two.url) == "200\n"


def test_running_out_of_files_is_the_fault_of_this_machine() -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as one, HostileServer(serving(lambda _: whole(b"x"))) as two:
        last = "client.close(); fill(); print(client.send(requests[1]).error)"
        says = with_few_files(last, one.url, two.url)
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


# --- redirects


def moved(location: str, status: int = 302) -> bytes:
    return whole(b"", f"Location: {location}", status=f"{status} Moved")


def routes(pages: dict[str, bytes]) -> Play:
    return serving(lambda request: pages[request.split()[1].decode()])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_get_follows_redirects_to_its_own_origin_with_its_headers(status: int) -> None:
    pages = {"/": moved("/a?b=c", status), "/a?b=c": moved("d", status), "/d": whole(b"there")}
    with HostileServer(routes(pages)) as server:
        assert ask(server.url, headers={"apikey": "k"}).body == b"there"
        assert [header(request, "apikey") for request in server.requests] == ["k"] * 3


def test_a_redirect_is_not_followed_when_the_request_says_so() -> None:
    with HostileServer(routes({"/": moved("/a")})) as server:
        answer = ask(server.url, follow=False)
        assert (answer.status, answer.headers["location"], answer.error) == (302, "/a", None)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_gets_follow_redirects(method: str) -> None:
    with HostileServer(routes({"/": moved("/a")})) as server:
        assert ask(server.url, method=method).status == 302
        assert len(server.requests) == 1


def test_at_most_five_redirects_are_followed() -> None:
    pages = {f"/{n}": moved(f"/{n + 1}") for n in range(6)} | {"/6": whole(b"end")}
    with HostileServer(routes(pages)) as server:
        assert ask(f"{server.url}1").body == b"end"
        assert error_kind(ask(f"{server.url}0")) == "redirect"


def test_a_redirect_loop_ends() -> None:
    with HostileServer(routes({"/": moved("/")})) as server:
        assert error_kind(ask(server.url)) == "redirect"
        assert len(server.requests) == 6


ELSEWHERE = {
    "another port": "http://127.0.0.1:{other}/",
    "another host": "http://localhost:{port}/",
    "another host without a scheme": "//localhost:{port}/",
    "another scheme": "https://127.0.0.1:{port}/",
    "a file": "file:///etc/passwd",
    "metadata service": "http://169.254.169.254/latest/meta-data/",
    "credentials before the host": "http://127.0.0.1:{port}@localhost:{other}/",
    "backslash": "http://127.0.0.1:{other}\\@127.0.0.1:{port}/",
    "control characters": "/a\x01b",
}


@pytest.mark.parametrize("location", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_redirect_elsewhere_is_refused_without_a_request(location: str) -> None:
    with HostileServer(serving(lambda _: whole(b"trap"))) as trap:
        pages: dict[str, bytes] = {}
        with HostileServer(routes(pages)) as server:
            pages["/"] = moved(location.format(port=server.port, other=trap.port))
            assert error_kind(ask(server.url)) == "redirect"
            assert len(server.requests) == 1
            assert trap.connections == 0


def test_a_redirect_to_an_allowed_host_is_followed_without_credentials_or_custom_headers() -> None:
    sent = {
        "Authorization": "Bearer t",
        "Cookie": "c=1",
        "apikey": "k",
        "X-Api-Key": "k",
        "X-Other": "o",
        "Accept": "a/b",
    }
    with HostileServer(serving(lambda _: whole(b"there"))) as other:
        with HostileServer(serving(lambda _: moved(f"http://localhost:{other.port}/x"))) as server:
            answer = ask(server.url, headers=sent, allow_hosts=(f"localhost:{other.port}",))
        assert answer.body == b"there"
        received = other.requests[0]
        assert header(received, "host") == f"localhost:{other.port}"
        assert [name for name in sent if header(received, name) is not None] == ["Accept"]


def test_credentials_do_not_come_back_when_a_redirect_leads_home_again() -> None:
    pages: dict[str, bytes] = {"/home": whole(b"home")}
    with HostileServer(routes(pages)) as server:
        home = f"127.0.0.1:{server.port}"
        with HostileServer(serving(lambda _: moved(f"http://{home}/home"))) as other:
            pages["/"] = moved(f"http://127.0.0.1:{other.port}/")
            answer = ask(server.url, headers={"apikey": "k"}, allow_hosts=(home, f"127.0.0.1:{other.port}"))
        assert answer.body == b"home"
        assert [header(request, "apikey") for request in server.requests] == ["k", None]


def test_a_redirect_from_https_to_http_is_refused_even_to_an_allowed_host() -> None:
    with HostileServer(serving(lambda _: whole(b"plain"))) as plain:
        with HostileServer(serving(lambda _: moved(plain.url)), "good") as server:
            allowed = (f"127.0.0.1:{plain.port}",)
            answer = ask(server.url, Limits(ca_file=TLS / "ca.pem"), allow_hosts=allowed)
        assert error_kind(answer) == "redirect"
        assert plain.connections == 0


def test_a_redirect_from_http_to_https_needs_an_allowed_host() -> None:
    with (
        HostileServer(serving(lambda _: whole(b"safe")), "good") as safe,
        HostileServer(serving(lambda _: moved(safe.url))) as server,
    ):
        limits = Limits(ca_file=TLS / "ca.pem")
        assert error_kind(ask(server.url, limits)) == "redirect"
        assert ask(server.url, limits, allow_hosts=(f"127.0.0.1:{safe.port}",)).body == b"safe"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"],
)
def test_no_list_of_allowed_hosts_lets_a_redirect_reach_a_metadata_service(host: str) -> None:
    with HostileServer(serving(lambda _: moved(f"http://{host}/"))) as server:
        answer = ask(server.url, allow_hosts=(host,))
        assert answer.error is not None
        assert answer.error.kind == "redirect"
        assert "metadata" in answer.error.message


def test_an_allowed_name_that_resolves_to_a_metadata_service_is_refused_before_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The peer of the connection counts: here it says that it is 169.254.169.254."""
    with HostileServer(serving(lambda _: whole(b"secret"))) as trap:
        monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("169.254.169.254", trap.port))
        with HostileServer(serving(lambda _: moved(f"http://localhost:{trap.port}/"))) as server:
            answer = ask(server.url, allow_hosts=(f"localhost:{trap.port}",))
        assert error_kind(answer) == "redirect"
        assert trap.requests == []


# --- the environment


@pytest.fixture
def tempting_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HostileServer]:
    """A proxy in the variables and a password in ``.netrc``."""
    with HostileServer(serving(lambda _: whole(b"from the proxy"))) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://proxyuser:proxypass@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
        (tmp_path / ".netrc").chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        yield proxy


def test_proxies_and_netrc_do_not_count_unless_the_settings_say_so(tempting_environment: HostileServer) -> None:
    with HostileServer(serving(lambda _: whole(b"direct"))) as server:
        assert ask(server.url).body == b"direct"
        assert header(server.requests[0], "authorization") is None
        assert tempting_environment.connections == 0


def test_with_trust_env_a_request_goes_through_the_proxy_with_the_password_of_netrc(
    tempting_environment: HostileServer,
) -> None:
    answer = ask("http://127.0.0.1:9/a", Limits(trust_env=True))
    assert answer.body == b"from the proxy"
    request = tempting_environment.requests[0]
    assert request.startswith(b"GET http://127.0.0.1:9/a HTTP/1.1\r\n")
    assert header(request, "authorization") == "Basic " + base64.b64encode(b"me:hunter2").decode()
    assert header(request, "proxy-authorization") == "Basic " + base64.b64encode(b"proxyuser:proxypass").decode()


def test_with_trust_env_no_proxy_is_obeyed(
    tempting_environment: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with HostileServer(serving(lambda _: whole(b"direct"))) as server:
        assert ask(server.url, Limits(trust_env=True)).body == b"direct"


def test_with_trust_env_https_goes_through_a_tunnel_and_the_certificate_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with HostileServer(serving(lambda _: whole(b"safe")), "good") as server:

        def tunnel(peer: Peer) -> None:
            peer.request()
            with socket.create_connection(("127.0.0.1", server.port)) as onward:
                peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(onward, peer.sock), daemon=True)
                back.start()
                pump(peer.sock, onward)
                back.join()

        with HostileServer(tunnel) as proxy:
            monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
            monkeypatch.delenv("no_proxy", raising=False)
            limits = Limits(trust_env=True, ca_file=TLS / "ca.pem")
            assert ask(server.url, limits, headers={"apikey": "k"}).body == b"safe"
            assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.".encode())
            assert header(proxy.requests[0], "apikey") is None
            assert error_kind(ask(server.url, Limits(trust_env=True))) == "tls"


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://[::1"])
def test_a_proxy_that_is_not_spoken_to_is_an_error_and_not_bypassed(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    with HostileServer(serving(lambda _: whole(b"direct"))) as server:
        assert error_kind(ask(server.url, Limits(trust_env=True))) == "local"
        assert server.connections == 0


def test_a_password_in_the_address_becomes_a_header() -> None:
    with HostileServer(serving(lambda _: whole(b"x"))) as server:
        ask(f"http://me:p%40ss@127.0.0.1:{server.port}/")
    assert header(server.requests[0], "authorization") == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert header(server.requests[0], "host") == f"127.0.0.1:{server.port}"


# --- many, the deadline, signals


def silent(peer: Peer) -> None:
    peer.request()
    peer.hang()


def many(server: HostileServer, count: int, **settings: Any) -> list[Request]:
    return [Request(url=f"{server.url}{number}", tag=number, **settings) for number in range(count)]


def test_many_are_answered_one_bad_target_among_them() -> None:
    def play(peer: Peer) -> None:
        while request := peer.request():
            if b"GET /7 " in request:
                return
            peer.send(whole(request.split()[1]))

    with HostileServer(play) as server, closing(Client(Limits(), stop=Stop())) as client:
        answers = {answer.request.tag: answer for answer in client.get_many(many(server, 50), concurrency=8)}
        assert server.connections <= 8 + 4  # two that /7 broke, and their successors
    assert sorted(answers) == list(range(50))
    assert [tag for tag, answer in answers.items() if answer.error] == [7]
    assert all(answer.body == f"/{tag}".encode() for tag, answer in answers.items() if tag != 7)


def test_there_are_never_more_connections_than_the_concurrency() -> None:
    busy = most = 0
    lock = threading.Lock()

    def play(peer: Peer) -> None:
        nonlocal busy, most
        while peer.request():
            with lock:
                busy += 1
                most = max(most, busy)
            time.sleep(0.01)
            with lock:
                busy -= 1
            peer.send(whole(b"x"))

    with HostileServer(play) as server, closing(Client(Limits(), stop=Stop())) as client:
        assert len(list(client.get_many(many(server, 60), concurrency=5))) == 60
        assert (most, server.connections) == (5, 5)


def test_past_the_deadline_nothing_starts_and_what_is_in_flight_is_cut() -> None:
    with HostileServer(silent) as server:
        stop = Stop(time.monotonic() + 0.4)
        taken: list[Request] = []
        requests = (taken.append(request) or request for request in many(server, 1000, method="POST"))  # type: ignore[func-returns-value]
        began = time.monotonic()
        answers = list(Client(Limits(), stop=stop).get_many(requests, concurrency=4))
        assert 0.35 <= time.monotonic() - began <= 0.9
        assert {error_kind(answer) for answer in answers} == {"deadline"}
        assert len(answers) == len(taken) <= 8
        assert len(server.requests) == 4
        assert wait_until(lambda: server.closed == 4)
        assert error_kind(Client(Limits(), stop=stop).send(Request(url=server.url))) == "deadline"
        assert len(server.requests) == 4


def test_a_signal_cuts_gets_at_once_and_lets_a_post_finish() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        time.sleep(0.6)
        peer.send(whole(b"done"))

    stop = Stop()
    with HostileServer(play) as server:
        requests = [Request(url=server.url), Request(url=server.url, method="POST")]
        threading.Timer(0.2, stop.request).start()
        began = time.monotonic()
        with closing(Client(Limits(), stop=stop)) as client:
            ends = {
                answer.request.method: (answer.error.kind if answer.error else answer.body, time.monotonic() - began)
                for answer in client.get_many(requests, concurrency=2)
            }
    assert ends["GET"][0] == "stopped"
    assert ends["GET"][1] < 0.4
    assert ends["POST"][0] == b"done"


def test_a_patient_get_is_not_cut_by_a_signal() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        time.sleep(0.4)
        peer.send(whole(b"done"))

    stop = Stop()
    with HostileServer(play) as server, closing(Client(Limits(), stop=stop)) as client:
        threading.Timer(0.1, stop.request).start()
        assert client.send(Request(url=server.url, is_patient=True)).body == b"done"


def test_a_real_signal_ends_a_wait_for_answers_promptly() -> None:
    script = """
import signal, sys
from pollctl.http import Client, Limits
from pollctl.model import Request
from pollctl.stop import Stop
stop = Stop()
signal.signal(signal.SIGTERM, lambda *_: stop.request())
print("ready", flush=True)
print([a.error.kind for a in Client(Limits(), stop=stop).get_many([Request(url=sys.argv[1])] * 3, concurrency=2)])
"""
    with HostileServer(lambda peer: peer.hang()) as server:
        child = subprocess.Popen([sys.executable, "-c", script, server.url], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        assert wait_until(lambda: server.connections == 2)
        began = time.monotonic()
        os.kill(child.pid, signal.SIGTERM)
        assert child.communicate(timeout=5)[0] == "['stopped', 'stopped', 'stopped']\n"
        assert time.monotonic() - began < 0.5


def test_an_iterator_that_is_left_early_cuts_what_is_in_flight() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        peer.send(whole(b"x")) if peer.number == 0 else peer.hang()

    with HostileServer(play) as server:
        client = Client(Limits(), stop=Stop())
        for answer in client.get_many(many(server, 100), concurrency=4):
            assert answer.body == b"x"
            assert wait_until(lambda: server.connections >= 4)
            break
        client.close()
        assert wait_until(lambda: server.closed == server.connections)


def test_starts_are_evenly_spaced_per_host_also_from_one_call_to_the_next() -> None:
    starts: dict[str, list[float]] = {}

    def answer(request: bytes) -> bytes:
        starts.setdefault(str(header(request, "host")), []).append(time.monotonic())
        return whole(b"x")

    with HostileServer(serving(answer)) as one, HostileServer(serving(answer)) as two:
        client = Client(Limits(), stop=Stop())
        for _ in range(2):
            mixed = [request for pair in zip(many(one, 4), many(two, 4), strict=True) for request in pair]
            assert len(list(client.get_many(mixed, concurrency=8, rate="20/s"))) == 8
        client.close()
    assert len(starts) == 2
    for times in starts.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(gaps) == 7
        assert min(gaps) >= 0.03
        assert 0.05 * 7 - 0.03 <= sum(gaps) <= 0.05 * 7 + 0.2


@pytest.mark.parametrize("rate", ["fast", "0/s", "1/d", "-1/s", "1"])
def test_a_rate_that_is_none_is_an_error_of_the_caller(rate: str) -> None:
    with pytest.raises(ValueError, match="is no rate; write"):
        Client(Limits(), stop=Stop()).get_many([], concurrency=1, rate=rate)


def test_requests_are_taken_in_the_thread_of_the_caller_and_only_as_room_comes_free() -> None:
    threads: set[str] = set()
    taken = 0

    def requests(url: str) -> Iterator[Request]:
        nonlocal taken
        while True:
            threads.add(threading.current_thread().name)
            taken += 1
            yield Request(url=url)

    with HostileServer(serving(lambda _: whole(b"x"))) as server, closing(Client(Limits(), stop=Stop())) as client:
        answers = client.get_many(requests(server.url), concurrency=4)
        for _ in range(10):
            next(answers)
        del answers
        assert threads == {threading.current_thread().name}
        assert taken <= 10 + 2 * 4


def test_a_generator_of_requests_that_raises_is_heard() -> None:
    def requests() -> Iterator[Request]:
        yield Request(url="http://127.0.0.1:9/")
        raise KeyError("base_url")

    with pytest.raises(KeyError, match="base_url"):
        list(Client(Limits(), stop=Stop()).get_many(requests(), concurrency=2))


def test_one_client_serves_several_threads() -> None:
    with HostileServer(serving(lambda request: whole(request.split()[1]))) as server:
        with closing(Client(Limits(), stop=Stop())) as client:
            bodies: list[bytes] = []

            def work(number: int) -> None:
                for turn in range(20):
                    answer = client.send(Request(url=f"{server.url}{number}-{turn}"))
                    bodies.append(answer.body) if answer.body == f"/{number}-{turn}".encode() else None

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(bodies) == 160
        assert server.connections <= 16
