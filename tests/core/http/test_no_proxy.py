"""Which hosts ``no_proxy`` keeps from the proxy (people, rule 31)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hostile_server import HostileServer, serving, whole

from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.environment import proxy_for
from pollctl.http.limits import Limits
from pollctl.urls import address_of


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileServer]:
    with HostileServer(serving(lambda _: whole(b"from the proxy"))) as server:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, server.url)
        for name in ("no_proxy", "NO_PROXY", "REQUEST_METHOD"):
            monkeypatch.delenv(name, raising=False)
        yield server


class OnIPv6(HostileServer):
    """A server on ::1."""

    def __init__(self) -> None:
        super().__init__(serving(lambda _: whole(b"direct")))
        self._listener.close()
        self._listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://[::1]:{self.port}/"


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
@pytest.mark.parametrize("no_proxy", ["::1", "[::1]", "::/64", "10.0.0.0/8, ::1/128"])
def test_no_proxy_heeds_the_ipv6_loopback(proxy: HostileServer, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    with OnIPv6() as server, closing(Client(Limits(trust_env=True), stop=Stop())) as client:
        assert client.send(Request(url=server.url)).body == b"from the proxy"
        monkeypatch.setenv("no_proxy", no_proxy)
        assert client.send(Request(url=server.url)).body == b"direct"
        assert (proxy.connections, server.connections) == (1, 1)


@pytest.mark.parametrize("no_proxy", ["127.0.0.0/8", "10.0.0.0/8,127.0.0.1/32", "127.0.0.1"])
def test_no_proxy_heeds_a_network(proxy: HostileServer, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    with (
        HostileServer(serving(lambda _: whole(b"direct"))) as server,
        closing(Client(Limits(trust_env=True), stop=Stop())) as client,
    ):
        assert client.send(Request(url=server.url)).body == b"direct"
        assert proxy.connections == 0


EXEMPT = [
    ("http://[::1]:8080/", "::1"),
    ("http://[0:0:0:0:0:0:0:1]/", "::1"),
    ("http://[::1]:8080/", "[::1]:8080"),
    ("http://[fd00::5]/", "fd00::/8"),
    ("http://[::ffff:10.1.2.3]/", "10.0.0.0/8"),
    ("http://[::ffff:10.1.2.3]/", "::ffff:10.1.2.3"),
    ("http://10.1.2.3/", "10.0.0.0/8"),
    ("http://10.1.2.3:8080/", "10.1.2.0/24"),
    ("http://10.1.2.3/", "10.1.2.99/24"),
    ("http://10.1.2.3:8080/", "10.1.2.3:8080"),
    ("http://10.1.2.3/", "192.168.0.0/16 10.0.0.0/8"),
    ("http://api.example.net/", "example.net"),
    ("http://api.example.net/", ".example.net"),
    ("http://api.example.net/", "*.example.net"),
    ("http://example.net/", ".EXAMPLE.net"),
    ("http://api.example.net.:8080/", "api.example.net:8080"),
    ("http://api.example.net/", "other.net,\tapi.example.net ,"),
    ("http://anything.example.net/", "*"),
    ("http://anything.example.net/", "localhost, *"),
    ("http://[fd00::5]/", "*"),
    ("http://bücher.example/", "bücher.example"),
]


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(("url", "no_proxy"), EXEMPT)
def test_what_no_proxy_names_is_asked_directly(monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_for(address_of(url).origin) is None


PROXIED = [
    ("http://[::1]/", "::2"),
    ("http://[::1]:8080/", "[::1]:80"),
    ("http://[fd00::5]/", "fe00::/8"),
    ("http://10.1.2.3/", "10.1.2.4"),
    ("http://10.1.2.3/", "11.0.0.0/8"),
    ("http://10.1.2.3/", "10.1.2.3/33"),
    ("http://110.1.2.3/", "10.1.2.3"),
    ("http://10.1.2.3/", "2.3"),
    ("http://10.1.2.3:8080/", "10.1.2.3:80"),
    ("http://api.example.net/", "pi.example.net"),
    ("http://api.example.net/", "xn--/8"),
    ("http://example.net/", "10.0.0.0/8,::1"),
    ("http://[::1]/", ""),
    ("http://example.net/", ", .,"),
]


@pytest.mark.parametrize(("url", "no_proxy"), PROXIED)
def test_what_no_proxy_does_not_name_goes_through_the_proxy(
    proxy: HostileServer, monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str
) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    found = proxy_for(address_of(url).origin)
    assert found is not None
    assert found.origin.port == proxy.port
