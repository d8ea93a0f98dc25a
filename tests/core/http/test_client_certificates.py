"""Certificates that pollctl shows to upstreams which ask for one (people, rule 31)."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from core.http.exchanges import answered_by
from hostile_server import TLS, HostileServer, Peer, serving, whole

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import Http, HttpHost
from pollctl.config.settings import load
from pollctl.errors import ConfigError
from pollctl.http.client import Client
from pollctl.http.client_certificate import ClientCertificates, problems_of
from pollctl.http.limits import Limits
from pollctl.inspection.check import check
from pollctl.inspection.check.findings import Finding
from pollctl.urls import address_of

GOOD, OTHER, CA = (
    TLS / "good.pem",
    TLS / "wrong_name.pem",
    TLS / "ca.pem",
)  # certificates with their keys; their authority
NAMES = {GOOD: "pollctl test good", OTHER: "pollctl test wrong_name"}


class Asking(HostileServer):
    """A TLS server that asks for a certificate, and answers with the name in it."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None, *, is_required: bool = True) -> None:
        super().__init__(self._play, "good")
        assert self._context is not None
        self._context.verify_mode = ssl.CERT_REQUIRED if is_required else ssl.CERT_OPTIONAL
        self._context.load_verify_locations(CA)
        self._answer = answer
        self.shown: list[str] = []

    def _play(self, peer: Peer) -> None:
        while request := peer.request():
            self.shown.append(name_in(peer.sock))
            peer.send(self._answer(request) if self._answer else whole(self.shown[-1].encode()))


def name_in(sock: object) -> str:
    assert isinstance(sock, ssl.SSLSocket)
    found = sock.getpeercert() or {}
    subject = found.get("subject", ())
    assert isinstance(subject, tuple)
    return next((value for ((_, value),) in subject), "")  # type: ignore[misc]


def limits(**settings: object) -> Limits:
    return Limits.of(Http(ca_file=CA, **settings))  # type: ignore[arg-type]


def ask(url: str, held: Limits, **settings: object) -> Answer:
    with closing(Client(held, stop=Stop())) as client:
        return answered_by(client, Request(url=url, **settings))  # type: ignore[arg-type]


@pytest.fixture
def apart(tmp_path: Path) -> tuple[Path, Path]:
    """The good certificate and its key, in a file each."""
    key, mark, certificate = GOOD.read_text().partition("-----BEGIN CERTIFICATE-----")
    (tmp_path / "cert.pem").write_text(mark + certificate)
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "key.pem").chmod(0o600)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


# --- what is shown


def test_a_certificate_with_its_key_in_one_file_is_shown() -> None:
    with Asking() as server:
        assert ask(server.url, limits(client_cert=GOOD)).body.decode() == NAMES[GOOD]


def test_a_certificate_with_its_key_in_another_file_is_shown(apart: tuple[Path, Path]) -> None:
    with Asking() as server:
        held = limits(client_cert=apart[0], client_key=apart[1])
        assert ask(server.url, held).body.decode() == NAMES[GOOD]


def test_without_one_a_server_that_demands_it_is_an_error() -> None:
    with Asking() as server:
        answer = ask(server.url, limits(), method="POST")
        assert answer.error is not None
        assert answer.error.kind in ("tls", "reset")  # its alert may be overtaken by the end of the connection
        assert server.shown == []


def test_a_server_that_does_not_ask_is_shown_nothing() -> None:
    with HostileServer(serving(lambda _: whole(b"x")), "good") as server:
        assert ask(server.url, limits(client_cert=GOOD)).body == b"x"


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        ({"127.0.0.1": HttpHost(client_cert=OTHER)}, NAMES[OTHER]),
        ({"127.0.0.1:{port}": HttpHost(client_cert=OTHER)}, NAMES[OTHER]),
        ({"127.0.0.1": HttpHost(client_cert=GOOD), "127.0.0.1:{port}": HttpHost(client_cert=OTHER)}, NAMES[OTHER]),
        ({"127.0.0.1:1": HttpHost(client_cert=OTHER)}, NAMES[GOOD]),
        ({"localhost": HttpHost(client_cert=OTHER)}, NAMES[GOOD]),
        ({"127.0.0.1": HttpHost()}, ""),
    ],
    ids=["host", "port", "port before host", "another port", "another host", "none for this host"],
)
def test_a_host_may_have_a_certificate_of_its_own(hosts: dict[str, HttpHost], shown: str) -> None:
    with Asking(is_required=False) as server:
        named = {name.format(port=server.port): host for name, host in hosts.items()}
        assert ask(server.url, limits(client_cert=GOOD, hosts=named)).body.decode() == shown


# --- redirects


def moved(location: str) -> bytes:
    return whole(b"", f"Location: {location}", status="302 Found")


def test_a_redirect_to_another_origin_takes_no_certificate_along_not_even_on_a_kept_connection() -> None:
    with Asking(is_required=False) as other:
        there = other.url.replace("127.0.0.1", "localhost")
        with Asking(lambda _: moved(there)) as server:
            with closing(Client(limits(client_cert=GOOD), stop=Stop())) as client:
                assert answered_by(client, Request(url=there)).body.decode() == NAMES[GOOD]
                sent_on = Request(url=server.url, allow_hosts=(f"localhost:{other.port}",))
                assert answered_by(client, sent_on).body == b""
                assert answered_by(client, Request(url=there)).body.decode() == NAMES[GOOD]
        assert server.shown == [NAMES[GOOD]]
        assert other.shown == [NAMES[GOOD], "", NAMES[GOOD]]
        assert other.connections == 2


def test_a_redirect_to_a_host_with_a_certificate_of_its_own_shows_that_one() -> None:
    with Asking() as other, Asking(lambda _: moved(f"https://localhost:{other.port}/")) as server:
        held = limits(client_cert=GOOD, hosts={"localhost": HttpHost(client_cert=OTHER)})
        answer = ask(server.url, held, allow_hosts=(f"localhost:{other.port}",))
        assert answer.body.decode() == NAMES[OTHER]


def test_the_certificate_does_not_come_back_when_a_redirect_leads_home_again() -> None:
    def answer(request: bytes) -> bytes:
        return moved(f"https://localhost:{other.port}/") if b" / " in request else whole(b"home")

    with (
        Asking(answer, is_required=False) as server,
        Asking(lambda _: moved(f"https://127.0.0.1:{server.port}/home"), is_required=False) as other,
    ):
        allowed = (f"localhost:{other.port}", f"127.0.0.1:{server.port}")
        assert ask(server.url, limits(client_cert=GOOD), allow_hosts=allowed).body == b"home"
        assert (server.shown, other.shown) == ([NAMES[GOOD], ""], [""])


# --- what cannot be used

UNUSABLE = {
    "absent": ({"client_cert": Path("gone.pem")}, "there is no file gone.pem"),
    "key absent": ({"client_cert": GOOD, "client_key": Path("gone.pem")}, "there is no file gone.pem"),
    "a folder": ({"client_cert": TLS}, f"there is no file {TLS}"),
    "not a certificate": ({"client_cert": TLS / "make.sh"}, "make.sh is not a certificate in PEM"),
    "no key": ({"client_cert": CA}, "ca.pem does not hold its key"),
    "key of another": ({"client_cert": GOOD, "client_key": OTHER}, "does not belong to the certificate"),
    "encrypted key": ({"client_cert": GOOD, "client_key": TLS / "locked_key.pem"}, "locked_key.pem is encrypted"),
}


@pytest.mark.parametrize(("settings", "says"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_certificate_that_cannot_be_used_is_named_and_nothing_is_sent(settings: dict[str, Path], says: str) -> None:
    with Asking(is_required=False) as server:
        answer = ask(server.url, limits(**settings))
        assert answer.error is not None
        assert answer.error.kind == "local"
        assert "the client certificate cannot be used: " in answer.error.message
        assert says in answer.error.message
        assert server.shown == []


@pytest.mark.parametrize(("settings", "says"), UNUSABLE.values(), ids=UNUSABLE)
def test_check_finds_it_before_a_pass_does(settings: dict[str, Path], says: str) -> None:
    own = HttpHost(**settings)
    first, second = problems_of(Http(**settings, hosts={"api.example.net": own}))  # type: ignore[arg-type]
    assert first.startswith("pollctl.http.client_cert: ")
    assert second.startswith('pollctl.http.hosts."api.example.net".client_cert: ')
    assert says in first
    assert says in second


def test_a_pipe_in_place_of_a_key_holds_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key.pem")
    began = time.monotonic()
    assert len(list(problems_of(Http(client_cert=GOOD, client_key=tmp_path / "key.pem")))) == 1
    assert time.monotonic() - began < 1


def findings(tmp_path: Path, *settings: str) -> list[Finding]:
    path = tmp_path / "pollctl.toml"
    path.write_text("\n".join(("[pollctl.http]", *settings)))
    return [one for one in check(path, {}, datetime.now(UTC)) if one.subject == "settings"]


def test_check_fails_over_a_wrong_certificate_and_is_content_with_a_right_one(
    tmp_path: Path, apart: tuple[Path, Path]
) -> None:
    right = 'client_cert = "cert.pem"', 'client_key = "key.pem"'
    assert [one.level for one in findings(tmp_path, *right)] == ["ok"]
    own = '[pollctl.http.hosts."api.example.net"]', 'client_cert = "gone.pem"'
    found = findings(tmp_path, *right, *own)[-1]
    assert (found.level, found.exit_code) == ("FAIL", 2)
    assert f'hosts."api.example.net".client_cert: there is no file {tmp_path / "gone.pem"}' in found.text


@pytest.mark.parametrize("table", ["", '[pollctl.http.hosts."api.example.net"]'])
def test_check_warns_of_a_key_that_others_may_read(tmp_path: Path, apart: tuple[Path, Path], table: str) -> None:
    apart[1].chmod(0o640)
    found = findings(tmp_path, table, 'client_cert = "cert.pem"', 'client_key = "key.pem"')
    assert [(one.level, one.text) for one in found[1:]] == [
        ("warn", f"{apart[1]}: others may read this secret; `chmod 600` it")
    ]


def test_a_file_that_holds_certificate_and_key_is_a_secret_too(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(GOOD.read_bytes())
    (tmp_path / "both.pem").chmod(0o644)
    assert [one.level for one in findings(tmp_path, 'client_cert = "both.pem"')] == ["ok", "warn"]


# --- settings


def read(tmp_path: Path, text: str) -> Http:
    path = tmp_path / "pollctl.toml"
    path.write_text(f"[pollctl.http]\n{text}\n", encoding="utf-8")
    return load(path).core.http


def test_the_settings_name_certificates_for_all_and_per_host(tmp_path: Path) -> None:
    text = 'client_cert = "c.pem"\nclient_key = "k.pem"\n[pollctl.http.hosts."API.example.net:8443"]\nclient_cert = "/d.pem"'
    http = read(tmp_path, text + '\n[pollctl.http.hosts.localhost]\nclient_cert = ""')
    assert (http.client_cert, http.client_key) == (tmp_path / "c.pem", tmp_path / "k.pem")
    certificates = ClientCertificates.of(http)
    found = {
        url: certificates.to_show(address_of(url).origin, has_left_home=False)
        for url in ("https://api.example.net:8443/", "https://api.example.net/", "https://localhost/", "http://a/")
    }
    assert [one and one.path.name for one in found.values()] == ["d.pem", "c.pem", None, None]


def test_names_of_hosts_are_compared_in_one_spelling(tmp_path: Path) -> None:
    http = read(
        tmp_path,
        '[pollctl.http.hosts."Faß.example"]\nclient_cert = "c"\n[pollctl.http.hosts."[::1]:1"]\nclient_cert = "d"',
    )
    certificates = ClientCertificates.of(http)
    for url in ("https://xn--fa-hia.example:9/", "https://FAß.example/", "https://[::1]:1/"):
        assert certificates.to_show(address_of(url).origin, has_left_home=True) is not None
    assert certificates.to_show(address_of("https://[::1]:2/").origin, has_left_home=True) is None


WRONG = {
    "key alone": ('client_key = "k"', "pollctl.http: client_key without client_cert"),
    "key alone, of a host": (
        '[pollctl.http.hosts."a.example"]\nclient_key = "k"',
        'pollctl.http.hosts."a.example": client_key without client_cert',
    ),
    "scheme": ('[pollctl.http.hosts."https://a.example"]', 'hosts: found "https://a.example"; allowed a host, such as'),
    "path": ('[pollctl.http.hosts."a.example/b"]', "allowed a host"),
    "blank": ('[pollctl.http.hosts."a b"]', "allowed a host"),
    "nothing": ('[pollctl.http.hosts.""]', "allowed a host"),
    "port that is none": ('[pollctl.http.hosts."a.example:x"]', "allowed a host"),
    "twice": ('[pollctl.http.hosts."a.example"]\n[pollctl.http.hosts."A.example"]', "is the same host as"),
    "unknown key": ('[pollctl.http.hosts."a.example"]\nclient_certs = "c"', "did you mean 'client_cert'?"),
    "not a table": ('hosts = "a.example"', "pollctl.http.hosts: found text; allowed a table"),
    "not a path": ("client_cert = 1", "pollctl.http.client_cert: found 1"),
}


@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG)
def test_wrong_settings_of_certificates_are_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert len(refused.value.problems) == 1
    assert says in refused.value.problems[0]
