"""An answer as libcurl hands it over, lines of its head and pieces of its body, held to the rules of the other engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pollctl.api.values import Phases
from pollctl.http.body import Body
from pollctl.http.curl.chunks import Chunks
from pollctl.http.errors import cut_within_lines, unasked_interim
from pollctl.http.journey import Whole
from pollctl.http.strict_response import FIELD, INTERIM, MOST_FIELDS, STATUS, fields, refuse_doubtful, status_of

_BODILESS = (204, 304)
_PLAIN = re.compile(STATUS + rb"\r\n(?:%b[^\r\n\0]*\r\n){0,%d}\r\n" % (FIELD, MOST_FIELDS))
"""A head of which there is nothing to unfold or to refuse."""


class Incoming:
    """One answer after another, each from its first line on.

    Args:
        is_head: whether HEAD is asked, so that no body comes.

    Attributes:
        lines: those of its head, each with its end, interim ones before it, trailers of HTTP/2 behind.
        failure: why the rest is not wanted.
    """

    def __init__(self, *, is_head: bool) -> None:
        self.lines: list[bytes] = []
        self.failure: BaseException | None = None
        self._is_head = is_head
        self._begin(0)

    def reset(self, max_body: int) -> None:
        """Be ready for the next, whose decoded body may have *max_body* bytes."""
        self.lines.clear()
        self.failure = None
        self._begin(max_body)

    def _begin(self, max_body: int) -> None:
        self._max_body = max_body
        self._status = 0
        self._headers: dict[str, str] = {}
        self._cookies: list[str] = []
        self._body: Body | None = None
        self._chunks: Chunks | None = None
        self._is_framed = True

    def take_piece(self, piece: bytes) -> int | None:
        """Take a piece of the body; -1 for no more, please."""
        try:
            if not self._status:
                self._open()
            if self._body is not None:
                self._body.write(piece if self._chunks is None else self._chunks.data_of(piece))
        except Exception as error:  # noqa: BLE001 - libcurl would print it, and go on without
            self.failure = error
            return -1
        return None

    def whole(self, *, upstream: str, url: str, phases: Phases) -> Whole:
        """The answer, now that libcurl says that this is all, with what else is known of it.

        Raises:
            Failure: it is not whole, or not proper.
        """
        if not self._status:
            self._open()
        if self._status in INTERIM:
            raise unasked_interim(self._status)
        if self._chunks is not None:
            self._chunks.close()
        body = b"" if self._body is None else self._body.close(is_framed=self._is_framed)
        return Whole(self._status, self._headers, body, self._cookies, upstream, url, phases)

    def _open(self) -> None:
        """Read the head, once it is needed."""
        status, found, is_http2 = _head_of(self.lines)
        self._headers, self._cookies = _headers_of(found)
        has_body = not self._is_head and status not in _BODILESS and status not in INTERIM
        body = Body(self._headers, self._max_body, has_body=has_body)
        if has_body:
            self._body = body
            is_chunked = "transfer-encoding" in self._headers
            self._is_framed = "content-length" in self._headers or is_chunked or is_http2
            self._chunks = Chunks() if is_chunked else None
        self._status = status


def _head_of(lines: list[bytes]) -> tuple[int, Iterable[str], bool]:
    """The status of the final answer among *lines*, its fields, and whether it speaks HTTP/2.

    Raises:
        Failure: ``truncated`` or ``protocol``.
    """
    head = b"".join(lines)
    if plain := _PLAIN.fullmatch(head):
        status = int(plain[1])
    else:
        status, head = _last_head(lines)
    return status, head.decode("latin-1").split("\r\n")[1:-2], head.startswith(b"HTTP/2")


def _last_head(lines: list[bytes]) -> tuple[int, bytes]:
    """The last status among *lines* and its head, unfolded, without trailers of HTTP/2; those before it must be proper too.

    Raises:
        Failure: ``truncated`` or ``protocol``.
    """
    left = iter(lines)
    status, head = _whole_head(next(left, b""), left)
    for line in left:
        if not line.startswith(b"HTTP/"):
            break  # trailers
        status, head = _whole_head(line, left)
    return status, head


def _whole_head(first: bytes, left: Iterator[bytes]) -> tuple[int, bytes]:
    refuse_doubtful(first)
    status = status_of(first)
    return status, b"".join((first.rstrip(b"\r\n"), b"\r\n", *fields(lambda: _next_of(left)), b"\r\n"))


def _next_of(lines: Iterator[bytes]) -> bytes:
    line = next(lines, None)
    if line is None:
        raise cut_within_lines()
    refuse_doubtful(line)
    return line


def _headers_of(found: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for field in found:
        name, _, value = field.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name == "set-cookie":
            cookies.append(value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers, cookies
