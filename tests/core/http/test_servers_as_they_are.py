"""HTTP as servers really are: what is odd but clear is read, and goes where browsers go (people, rule 31)."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import zlib
from contextlib import closing
from typing import Any

import pytest
from core.http.exchanges import answered_by
from hostile_server import OK, HostileServer, Peer, Play, forever, packed, saying, serving, whole

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.http.redirects import redirected
from pollctl.urls import address_of

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
GZIP = "Content-Encoding: gzip"


def ask(url: str, **settings: Any) -> Answer:
    with closing(Client(Limits(timeout=5, max_body=100_000), stop=Stop())) as client:
        return answered_by(client, Request(url=url, **settings))


def ask_played(play: Play, **settings: Any) -> Answer:
    with HostileServer(play) as server:
        return ask(server.url, **settings)


def error_kind(answer: Answer) -> str:
    assert answer.error is not None, answer
    return answer.error.kind


# --- interim answers

INTERIM = {
    "103": HINTS,
    "103 three times": HINTS * 3,
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "100 without a reason": b"HTTP/1.1 100\r\n\r\n",
    "102 and 103": b"HTTP/1.1 102 Processing\r\n\r\n" + HINTS,
    "one that nobody registered": b"HTTP/1.1 199 Any Moment\r\nContent-Length: 99\r\n\r\n",
}


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_interim_answers_are_skipped(interim: bytes, method: str) -> None:
    answer = ask_played(saying(interim, whole(b"{}", "X: y")), method=method)
    assert (answer.status, answer.body, answer.error) == (200, b"{}", None)
    assert answer.headers == {"content-length": "2", "x": "y"}  # none of those of the interim answer


def test_a_kept_connection_stays_in_step_after_interim_answers() -> None:
    with HostileServer(serving(lambda request: HINTS + whole(request.split()[1]))) as server:
        with closing(Client(Limits(), stop=Stop())) as client:
            bodies = [answered_by(client, Request(url=f"{server.url}{number}")).body for number in range(3)]
        assert bodies == [b"/0", b"/1", b"/2"]
        assert server.connections == 1


@pytest.mark.parametrize("interim", [HINTS, b"HTTP/1.1 102 Processing\r\n\r\n"], ids=["103", "102"])
def test_endless_interim_answers_end_at_the_time_limit(interim: bytes, engine: str) -> None:
    began = time.monotonic()
    answer = ask_played(forever(lambda: interim, b""), timeout=0.5)
    assert error_kind(answer) == {"python": "timeout", "curl": "protocol"}[engine]  # libcurl reads 300 KB of them
    assert time.monotonic() - began <= 1.0
    assert engine == "curl" or time.monotonic() - began >= 0.45


def test_what_closes_after_an_interim_answer_is_truncated_and_not_asked_again() -> None:
    with HostileServer(saying(HINTS)) as server:
        assert error_kind(ask(server.url)) == "truncated"
        assert len(server.requests) == 1


def test_switching_protocols_is_never_skipped() -> None:
    assert error_kind(ask_played(saying(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", whole(b"x")))) == "protocol"


# --- headers

BLANKS = {
    "length": OK + b"Content-Length: 2 \r\n\r\n{}",
    "length and tab": OK + b"Content-Length:\t2\t \r\n\r\n{}",
    "length without a blank before it": OK + b"Content-Length:2 \r\n\r\n{}",
    "chunked": OK + b"Transfer-Encoding: chunked \r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "gzip": OK + b"Content-Encoding: gzip \r\nContent-Length: %d\r\n\r\n" % len(packed(b"{}")) + packed(b"{}"),
    "folded": OK + b"Content-Length:\r\n 2 \r\n\r\n{}",
}


@pytest.mark.parametrize("sent", BLANKS.values(), ids=BLANKS)
def test_blanks_around_a_header_value_are_no_part_of_it(sent: bytes) -> None:
    answer = ask_played(saying(sent))
    assert (answer.status, answer.body, answer.error) == (200, b"{}", None)
    assert all(value == value.strip() for value in answer.headers.values())


def test_a_folded_header_is_one_value() -> None:
    answer = ask_played(saying(OK, b"X: a \r\n  b\r\n\t\r\n c \r\nContent-Length: 2\r\n\r\n{}"))
    assert answer.headers == {"x": "a b c", "content-length": "2"}


# --- redirects

LOCATIONS = {
    "UTF-8": ("/café/".encode(), "/caf%C3%A9/"),
    "UTF-8 whose last byte looks like a blank": ("/voilà".encode(), "/voil%C3%A0"),
    "UTF-8 in the query": ("/?q=ä&r=%20".encode(), "/?q=%C3%A4&r=%20"),
    "an absolute one": ("http://127.0.0.1:{port}/日本".encode(), "/%E6%97%A5%E6%9C%AC"),
    "Latin-1": ("/café/".encode("latin-1"), "/caf%E9/"),
    "quoted": (b"/caf%C3%A9/", "/caf%C3%A9/"),
    "blanks around it": (b"  /there \t", "/there"),
}


@pytest.mark.parametrize(("location", "target"), LOCATIONS.values(), ids=LOCATIONS)
def test_a_redirect_with_raw_bytes_goes_where_browsers_go(location: bytes, target: str) -> None:
    def answer(request: bytes) -> bytes:
        if request.split()[1] != b"/":
            return whole(b"there")
        sent = location.replace(b"{port}", str(server.port).encode())
        return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + sent + b"\r\n\r\n"

    with HostileServer(serving(answer)) as server:
        assert ask(server.url).body == b"there"
        assert server.requests[1].split()[1].decode() == target


def test_a_redirect_to_a_host_in_raw_utf8_goes_to_its_ascii_name() -> None:
    location = "http://faß.invalid/".encode().decode("latin-1")
    there = redirected("http://127.0.0.1/", location, ("xn--fa-hia.invalid",))
    assert address_of(there).origin.host == "xn--fa-hia.invalid"


# --- bodies

PADDED = {
    "16 NULs": packed(b"{}") + bytes(16),
    "many NULs": packed(b"{}") + bytes(200_000),
    "two members with padding between": packed(b"{") + bytes(8) + packed(b"}") + bytes(8),
}


@pytest.mark.parametrize("sent", PADDED.values(), ids=PADDED)
def test_gzip_with_zero_padding_is_read(sent: bytes) -> None:
    assert ask_played(saying(whole(sent, GZIP))).body == b"{}"


def test_gzip_and_its_padding_in_separate_pieces_are_read() -> None:
    def play(peer: Peer) -> None:
        peer.request()
        peer.send(OK, GZIP.encode(), b"\r\n\r\n", packed(b"{}"))
        for _ in range(3):
            time.sleep(0.05)
            peer.send(bytes(8))

    assert ask_played(play).body == b"{}"


@pytest.mark.parametrize(
    "sent", [bytes(8) + packed(b"{}"), packed(b"{}") + b"trash", bytes(8)], ids=["before", "trash", "only"]
)
def test_what_is_no_padding_after_gzip_is_refused(sent: bytes) -> None:
    assert error_kind(ask_played(saying(whole(sent, GZIP)))) == "protocol"


def test_endless_padding_ends_at_the_time_limit() -> None:
    head = OK + GZIP.encode() + b"\r\n\r\n" + packed(b"{}")
    assert error_kind(ask_played(forever(lambda: bytes(10_000), head), timeout=0.5)) == "timeout"


XML = "<?xml version='1.0'?>\n<a>é<b/></a>\n".encode()
HTML = "<!doctype html><title>Café<br>".encode()
PLAIN = {
    "empty": ("", b"x"),
    "empty elements": (" , identity,", b"x"),
    "identity": ("Identity", b"x"),
    "unknown, of JSON": ("x-zip", b' {"a": [1]}\n'),
    "unknown, of a list": ("x-zip", b"[]"),
    "unknown, of XML": ("x-zip", XML),
    "unknown, of nothing": ("x-zip", b""),
    "known, of JSON": ("br", b'{"a": "\xc3\xa9"}'),
    "a character set, of JSON": ("UTF-8", b"{}"),
    "a character set, of HTML": ("utf-8", HTML),
    "none, of text": ("none", b"a,b\r\n1,2\r\n"),
    "a transfer encoding, of text": ("8bit", "ä\tb\n".encode()),
    "Latin-1, of text": ("iso-8859-1", "ä\tb\n".encode("latin-1")),
}


@pytest.mark.parametrize(("coding", "body"), PLAIN.values(), ids=PLAIN)
def test_an_unknown_or_empty_content_encoding_of_a_plain_body_is_passed_over(coding: str, body: bytes) -> None:
    answer = ask_played(saying(whole(body, f"Content-Encoding: {coding}")))
    assert (answer.status, answer.body, answer.error) == (200, body, None)


def test_a_gzip_that_names_empty_elements_beside_it_is_unpacked() -> None:
    assert ask_played(saying(whole(packed(b"{}"), "Content-Encoding: , X-GZip ,identity"))).body == b"{}"


BROTLI = bytes.fromhex("0b0d807b2261223a2022c3a97878787878787878787878227d03")
ZSTD = bytes.fromhex("28b52ffd042011000022612203b0b1") + b"[1]"
ENCODED = {
    "deflate": ("deflate", zlib.compress(b'{"a": 1}' * 20)),
    "raw deflate": ("deflate", zlib.compress(b'{"a": 1}', wbits=-15)),
    "stored deflate": ("x-unknown", zlib.compress(b'{"a": 1}', level=0)),
    "brotli": ("br", BROTLI),
    "zstd": ("zstd", ZSTD),
    "gzip under another name": ("x-squeeze", packed(b"{}")),
    "gzip under the name of a character set": ("utf-8", packed(b"{}")),
    "gzip under the name of Latin-1": ("iso-8859-1", packed(b"{}" * 50)),
    "gzip of gzip": ("gzip, gzip", packed(packed(b"{}"))),
    "gzip and something": ("gzip, br", packed(b"{}")),
    "base64, which is text too": ("base64", b"eyJhIjogMX0="),
    "chunks of S3, which are text too": ("aws-chunked", b"2;chunk-signature=0\r\n{}\r\n0;chunk-signature=0\r\n\r\n"),
    "a number, which could be anything": ("x-unknown", b"1"),
    "half a document": ("x-unknown", b'{"a": 1'),
    "a document and more": ("x-unknown", b"{}\x00"),
    "invalid UTF-8": ("utf-8", b"caf\xe9"),
    "NUL": ("utf-8", b"a\0b"),
    "an XML document with entities": ("x-unknown", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "100,000 lists deep": ("x-unknown", b"[" * 40_000 + b"]" * 40_000),
}


@pytest.mark.parametrize(("coding", "body"), ENCODED.values(), ids=ENCODED)
def test_a_body_that_is_really_encoded_is_never_taken_for_text(coding: str, body: bytes) -> None:
    answer = ask_played(saying(whole(body, f"Content-Encoding: {coding}")))
    assert error_kind(answer) == "protocol"
    assert answer.error is not None
    assert f"the body is encoded as {coding!r}" in answer.error.message


def test_an_answer_without_a_body_may_name_any_content_encoding() -> None:
    assert ask_played(saying(OK, b"Content-Encoding: br\r\nContent-Length: 99\r\n\r\n"), method="HEAD").error is None


# --- names

NAMES = {
    "faß.invalid": "xn--fa-hia.invalid",
    "FAß.Invalid": "xn--fa-hia.invalid",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "my_host.bücher.example.": "my_host.xn--bcher-kva.example.",
    "例え。テスト": "xn--r8jz45g.xn--zckzah",
    "\uff45xample.net": "example.net",
    "ΣΑΣ.invalid": "xn--mxa9ab.invalid",
    "σας.invalid": "xn--mxa8ab.invalid",
    "xn--fa-hia.invalid": "xn--fa-hia.invalid",
    "UNDER_score.example": "under_score.example",
}


@pytest.mark.parametrize(("written", "asked"), NAMES.items(), ids=NAMES)
def test_names_are_those_of_idna_2008(written: str, asked: str) -> None:
    assert address_of(f"http://{written}/").origin.host == asked


@pytest.mark.parametrize(
    "host", ["ä" * 70 + ".net", "a..ä", "-ä.net", "ä\u200db.net", "☃.net", "ä" * 100_000, "ä b", "\u00ad"]
)
def test_a_name_that_idna_2008_does_not_know_is_refused(host: str) -> None:
    began = time.monotonic()
    with pytest.raises(ValueError, match=r"host"):
        address_of(f"http://{host}/")
    assert time.monotonic() - began < 1


def test_the_tables_of_idna_are_loaded_only_for_a_name_that_needs_them() -> None:
    script = (
        "import sys; from pollctl.urls import address_of; address_of('http://xn--fa-hia.invalid/');"
        "before = 'idna' in sys.modules; address_of('http://faß.invalid/'); print(before, 'idna' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


# --- cookies within an exchange


def cookies_of(request: bytes) -> str | None:
    lines = request.decode("latin-1").split("\r\n")
    return next((line[8:] for line in lines if line.lower().startswith("cookie: ")), None)


def moved(location: str, *headers: str) -> bytes:
    return whole(b"", f"Location: {location}", *headers, status="302 Found")


def test_a_redirect_to_itself_that_sets_a_cookie_is_followed() -> None:
    def answer(request: bytes) -> bytes:
        return whole(b"in") if cookies_of(request) == "seen=1" else moved("/", "Set-Cookie: seen=1; Path=/; HttpOnly")

    with HostileServer(serving(answer)) as server:
        assert ask(server.url).body == b"in"
        assert [cookies_of(request) for request in server.requests] == [None, "seen=1"]


def test_cookies_are_forgotten_with_the_exchange() -> None:
    with HostileServer(
        serving(lambda request: moved("/a", "Set-Cookie: s=1") if b" / " in request else whole(b"x"))
    ) as server:
        with closing(Client(Limits(), stop=Stop())) as client:
            for _ in range(2):
                answered_by(client, Request(url=server.url))
        assert [cookies_of(request) for request in server.requests] == [None, "s=1", None, "s=1"]


def test_a_cookie_of_the_request_goes_along_with_those_that_were_set() -> None:
    with HostileServer(
        serving(lambda request: whole(b"x") if b"s=1" in request else moved("/", "Set-Cookie: s=1"))
    ) as server:
        assert ask(server.url, headers={"cookie": "mine=2"}).body == b"x"
        assert [cookies_of(request) for request in server.requests] == ["mine=2", "mine=2; s=1"]


SET = {
    "another path": (["a=1; Path=/elsewhere"], None),
    "the path below": (["a=1; Path=/in"], "a=1"),
    "expired": (["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], None),
    "taken back": (["a=1", "a=1; Max-Age=0"], None),
    "with an expiry and another": (["a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", "b=2"], "a=1; b=2"),
    "secure, over plain HTTP": (["a=1; Secure"], None),
    "control characters": (["a=\x01", "b=2"], "b=2"),
    "beyond Latin-1's letters": (["a=é"], "a=é"),
    "one that is too long": ["a=" + "x" * 5000],
    "an empty one": ["", "b=2"],
}


@pytest.mark.parametrize(
    ("lines", "sent"),
    [(value if isinstance(value, tuple) else (value, "b=2" if "b=2" in value else None)) for value in SET.values()],
    ids=SET,
)
def test_only_cookies_that_hold_for_the_next_request_are_sent(lines: list[str], sent: str | None) -> None:
    headers = [f"Set-Cookie: {line}" for line in lines]
    with HostileServer(
        serving(lambda request: moved("/in/side", *headers) if b" / " in request else whole(b"x"))
    ) as server:
        assert ask(server.url).body == b"x"
        found = cookies_of(server.requests[1])
        assert (found and found.encode("latin-1").decode()) == sent


def test_cookies_are_bounded() -> None:
    headers = [f"Set-Cookie: name{number}={'x' * 1000}" for number in range(90)]
    with HostileServer(serving(lambda request: moved("/a", *headers) if b" / " in request else whole(b"x"))) as server:
        assert ask(server.url).body == b"x"
        assert len(server.requests[1]) < 20_000


def test_a_redirect_loop_that_sets_cookies_still_ends() -> None:
    count = iter(range(100))
    with HostileServer(serving(lambda _: moved("/", f"Set-Cookie: n={next(count)}"))) as server:
        assert error_kind(ask(server.url)) == "redirect"
        assert len(server.requests) == 6


def test_a_cookie_never_goes_to_another_origin() -> None:
    lock = threading.Lock()
    with HostileServer(serving(lambda _: whole(b"there"))) as other:
        headers = ["Set-Cookie: a=1", "Set-Cookie: b=2; Domain=127.0.0.1", "Set-Cookie: c=3; Domain=localhost"]

        def answer(request: bytes) -> bytes:
            with lock:
                return moved("/on", *headers) if b" / " in request else moved(f"http://localhost:{other.port}/")

        with HostileServer(serving(answer)) as server:
            assert ask(server.url, allow_hosts=(f"localhost:{other.port}",)).body == b"there"
            assert cookies_of(server.requests[1]) is not None
        assert cookies_of(other.requests[0]) is None


def test_only_a_redirect_that_is_followed_keeps_cookies() -> None:
    with HostileServer(serving(lambda _: moved("/", "Set-Cookie: a=1"))) as server:
        assert ask(server.url, follow=False).headers["set-cookie"] == "a=1"
        assert len(server.requests) == 1
