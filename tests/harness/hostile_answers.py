"""Hostile answers, each with what must become of it: the rows of "Hostile upstreams", collected from where each is tested too.

Those about time, size, truncation and HTTP itself are the ones of `hostile_wire`.
"""

from __future__ import annotations

import hostile_wire as wire
from hostile_server import Peer, Play, saying, whole
from msgspec import Struct

LIMIT_S = 0.5
PATIENCE_S = 10.0
CAP = 8 * 1024**2


class Hostile(Struct, frozen=True):
    """One hostile answer.

    Attributes:
        play: what the server does.
        expected: kinds of errors of which one must come; ``refused`` for a body that no JSON reader of ours takes, a
            number of seconds for a Retry-After, ``ok`` for what is rare but proper.
        reads: what is done with the answer: ``""`` nothing, ``json``, ``retry``.
        limit_s: total time limit of the exchange.
        certificate: that the server shows, if it speaks TLS.
    """

    play: Play
    expected: tuple[str, ...]
    reads: str = ""
    limit_s: float = PATIENCE_S
    certificate: str = ""


JSON: dict[str, bytes] = {
    "HTML with 200": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "empty": b"",
    "blank": b" \r\n",
    "wrong type": b"42",
    "wrong type within": b'[1, "two", 3]',
    "null": b"null",
    "invalid UTF-8": b'["\xff\xfe"]',
    "Latin-1": b'["caf\xe9"]',
    "UTF-16": '["a"]'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf["a"]',
    "NaN": b"[NaN]",
    "Infinity": b"[-Infinity]",
    "1e999": b'{"a": 1e999}',
    "duplicate keys": b'{"a": 1, "a": 2}',
    "nesting 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "nesting of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "lone surrogate": b'["\\ud800"]',
    "integer beyond 2^63": b'{"a": 9223372036854775808}',
    "integer of 100,000 digits": b'{"a": ' + b"9" * 100_000 + b"}",
    "NUL": b'["a\\u0000b"]',
    "raw NUL": b'["a\0b"]',
    "cut off": b'["a", "b',
    "two documents": b"[1][2]",
    "trailing comma": b"[1,]",
    "single quotes": b"['a']",
    "comment": b"[1] // one",
    "a million brackets, unclosed": b"[" * 1_000_000,
}
RETRY: dict[str, tuple[str, str]] = {
    "seconds": ("120", "120"),
    "past date": ("Wed, 21 Oct 2015 07:28:00 GMT", "0"),
    "far date": ("Fri, 31 Dec 9999 23:59:59 GMT", "86400"),
    "negative": ("-5", "0"),
    "fraction": ("1.5", "1.5"),
    "10^20": ("1" + "0" * 20, "86400"),
    "a thousand digits": ("9" * 1000, "86400"),
    "exponent": ("1e3", "None"),
    "rubbish": ("soon; drop table", "None"),
    "date of no calendar": ("Wed, 99 Oct 2026 07:28:00 GMT", "None"),
    "empty value": ("", "None"),
}
REDIRECTS: dict[str, str] = {
    "another host": "http://other.example.net/",
    "another port": "http://127.0.0.1:1/",
    "another scheme": "https://127.0.0.1/",
    "no scheme of ours": "file:///etc/passwd",
    "ftp": "ftp://127.0.0.1/",
    "link-local": "http://169.254.169.254/latest/meta-data/",
    "link-local in IPv6": "http://[fe80::1]/",
    "link-local in disguise": "http://[::ffff:169.254.169.254]/",
    "a host with a login": "http://127.0.0.1:1@other.example.net/",
    "a loop": "/again",
    "nothing": "//",
    "control characters": "http://127.0.0.1\t.example.net/",
}


def _crawling(peer: Peer) -> None:
    wire.slowly(b"HTTP/1.1 200 OK\r\nSet-Cookie: ", b"x")(peer)


def _redirecting(location: str) -> Play:
    def play(peer: Peer) -> None:
        while peer.request():
            peer.send(whole(b"", f"Location: {location}", status="302 Found"))

    return play


def every() -> dict[str, Hostile]:
    """All of them, by a name that says which row they are of."""
    found = {f"slow: {name}": Hostile(play, ("timeout",), limit_s=LIMIT_S) for name, play in wire.SLOW.items()}
    found["slow: one header a byte at a time"] = Hostile(_crawling, ("timeout",), limit_s=LIMIT_S)
    for name, (play, kind) in wire.LARGE.items():
        if not name.startswith(("exactly", "one byte")):  # which are about the cap of that test
            found[f"large: {name}"] = Hostile(play, (kind or "ok",))
    found |= {f"truncated: {name}": Hostile(saying(sent), ("truncated",)) for name, sent in wire.TRUNCATED.items()}
    found |= {
        f"no HTTP: {name}": Hostile(saying(sent), ("protocol", "truncated")) for name, sent in wire.NONSENSE.items()
    }
    found |= {f"proper: {name}": Hostile(saying(sent), ("ok",)) for name, sent in wire.PROPER.items()}
    found |= {f"breaks: {name}": Hostile(play, ("reset",)) for name, play in wire.BREAKS.items()}
    found |= {f"JSON: {name}": Hostile(saying(whole(body)), ("refused",), "json") for name, body in JSON.items()}
    for name, (value, expected) in RETRY.items():
        answer = whole(b"{}", f"Retry-After: {value}", status="429 Too Many Requests")
        found[f"Retry-After: {name}"] = Hostile(saying(answer), (expected,), "retry")
    found |= {
        f"redirect: {name}": Hostile(_redirecting(to), ("redirect", "bad_address")) for name, to in REDIRECTS.items()
    }
    for certificate in ("expired", "wrong_name", "self_signed"):
        found[f"TLS: {certificate}"] = Hostile(saying(whole(b"x")), ("tls",), certificate=certificate)
    return found
