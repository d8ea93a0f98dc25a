"""Proxies, netrc and other things around a request count only where the settings say so (core §4)."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from core.http.exchanges import ask, error_kind, header
from hostile_server import TLS, HostileServer, Peer, serving, whole

from pollctl.http.limits import Limits


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
