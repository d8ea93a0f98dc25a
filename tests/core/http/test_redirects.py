"""Redirects: who follows them, where to, and with what (core §4)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from core.http.exchanges import ask, error_kind, header
from hostile_server import TLS, HostileServer, Play, serving, whole

from pollctl.http.limits import Limits


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
    """The peer of the connection counts: here 127.0.0.1 is the metadata service."""
    monkeypatch.setattr("pollctl.http.redirects._METADATA", {ip_address("127.0.0.1")})
    with HostileServer(serving(lambda _: whole(b"secret"))) as trap:
        with HostileServer(serving(lambda _: moved(f"http://localhost:{trap.port}/"))) as server:
            answer = ask(server.url, allow_hosts=(f"localhost:{trap.port}",))
        assert error_kind(answer) == "redirect"
        assert trap.requests == []
