"""An HTTP/1.1 answer (RFC 9112), read strictly and within bounds: what is doubtful is an error, no guess."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from io import BytesIO
from socket import socket
from typing import Literal

from pollctl.http.failure import Failure, Reset

PIECE = 65536  # bytes read or decoded at once
LONGEST_HEAD = 65536  # bytes of status line and headers
LONGEST_LINE = 4096  # bytes of a chunk size or trailer line
MOST_TRAILERS = 100
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_FINAL = 200
_SWITCHING = 101
_BODILESS = (204, 304)

Framing = int | Literal["chunked", "close"]


class Wire:
    """Bytes that come in over one connection, within a limit of time.

    Attributes:
        until: the moment of ``time.monotonic`` past which reading fails; a single read is bounded by the socket's own.
    """

    def __init__(self, sock: socket) -> None:
        self.until = float("inf")
        self._sock = sock
        self._held = b""

    @property
    def is_drained(self) -> bool:
        """Whether nothing came that was not asked for."""
        return not self._held

    def head(self) -> str:
        """Status line and headers, without the empty line.

        Raises:
            Reset: the connection was closed before the first byte.
            Failure: it was closed in between, or the head is too long.
        """
        searched = 0
        while not (end := _END_OF_HEAD.search(self._held, searched)):
            if len(self._held) > LONGEST_HEAD:
                raise Failure("protocol", f"headers longer than {LONGEST_HEAD} bytes")
            searched = max(0, len(self._held) - 3)
            if self._more():
                continue
            if self._held:
                raise Failure("truncated", "closed within the headers")
            raise Reset("closed without an answer")
        head = self._held[: end.start()]
        self._held = self._held[end.end() :]
        return head.decode("latin-1")

    def line(self) -> bytes:
        """One line without its end."""
        while (end := self._held.find(b"\n", 0, LONGEST_LINE)) < 0:
            if len(self._held) >= LONGEST_LINE:
                raise Failure("protocol", "a line of the chunked body is too long")
            if not self._more():
                raise Failure("truncated", "closed within the chunked body")
        line = self._held[:end].removesuffix(b"\r")
        self._held = self._held[end + 1 :]
        return line

    def some(self, most: int) -> bytes:
        """The next bytes, at most *most*; none at the end."""
        if not self._held and not self._more():
            return b""
        some, self._held = self._held[:most], self._held[most:]
        return some

    def _more(self) -> bool:
        if time.monotonic() > self.until:
            raise TimeoutError
        received = self._sock.recv(PIECE)
        self._held += received
        return bool(received)


class Reply:
    """The head of an answer, and how its body is framed.

    Attributes:
        status: the final status; interim ones (1xx) are passed over.
        headers: names in lower case, values of repeated ones joined by ``", "``.
    """

    def __init__(self, wire: Wire, method: str) -> None:
        self._wire = wire
        self.status = 0
        while self.status < _FINAL:
            status_line, _, lines = wire.head().replace("\r\n", "\n").partition("\n")
            self._is_http_1_1, self.status = _status(status_line)
            self.headers = _headers(lines)
        self._is_bodiless = method == "HEAD" or self.status in _BODILESS
        self._framing: Framing = 0 if self._is_bodiless else _framing(self.headers)

    def body(self, max_body: int) -> bytes:
        """The whole body, decoded.

        Raises:
            Failure: ``truncated``, ``too_large`` (*max_body* counts decoded bytes) or ``protocol``.
        """
        encoding = "identity" if self._is_bodiless else self.headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise Failure("protocol", f"the body is encoded as {encoding!r}, which was not asked for")
        sink = _Identity(max_body) if encoding == "identity" else _Gunzip(max_body)
        if isinstance(self._framing, int):
            sink.expect(self._framing)
        for piece in _pieces(self._wire, self._framing):
            sink.write(piece)
        return sink.close()

    @property
    def keeps_open(self) -> bool:
        """Whether the connection serves another request once the body is read."""
        wishes = self.headers.get("connection", "").lower()
        is_wanted = "close" not in wishes and (self._is_http_1_1 or "keep-alive" in wishes)
        return is_wanted and self._framing != "close" and self._wire.is_drained


def _status(line: str) -> tuple[bool, int]:
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise Failure("protocol", f"no HTTP answer: it begins with {line[:40]!r}")
    if int(match[2]) == _SWITCHING:
        raise Failure("protocol", "switched protocols without being asked")
    return match[1] == "1", int(match[2])


def _headers(lines: str) -> dict[str, str]:
    if "\r" in lines or "\0" in lines:
        raise Failure("protocol", "headers hold CR or NUL")
    headers: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", lines).split("\n") if lines else ():
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise Failure("protocol", f"a header line that is none: {line[:40]!r}")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _framing(headers: dict[str, str]) -> Framing:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise Failure("protocol", f"the body's end cannot be told: transfer-encoding {coding!r}, length {length!r}")
        return "chunked"
    if length is None:
        return "close"
    if not re.fullmatch("[0-9]{1,18}", length):
        raise Failure("protocol", f"content-length {length[:40]!r} is no number")
    return int(length)


def _pieces(wire: Wire, framing: Framing) -> Iterator[bytes]:
    if framing == "chunked":
        yield from _chunks(wire)
    elif framing == "close":
        while piece := wire.some(PIECE):
            yield piece
    else:
        yield from _exactly(wire, framing)


def _exactly(wire: Wire, length: int) -> Iterator[bytes]:
    left = length
    while left:
        piece = wire.some(left)
        if not piece:
            raise Failure("truncated", f"closed after {length - left} of {length} bytes")
        left -= len(piece)
        yield piece


def _chunks(wire: Wire) -> Iterator[bytes]:
    while size := _chunk_size(wire.line()):
        yield from _exactly(wire, size)
        if wire.line():
            raise Failure("protocol", "a chunk is longer than its size")
    for _ in range(MOST_TRAILERS):
        if not wire.line():
            return
    raise Failure("protocol", f"more than {MOST_TRAILERS} trailers")


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_SIZE.fullmatch(line)
    if match is None:
        raise Failure("protocol", f"a chunk size that is none: {line[:40]!r}")
    return int(match[1], 16)


class _Identity:
    """A body as it came, bounded."""

    def __init__(self, max_body: int) -> None:
        self._max = max_body
        self._size = 0
        self._body = BytesIO()

    def expect(self, length: int) -> None:
        if length > self._max:
            raise self._too_large()

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max:
            raise self._too_large()
        self._body.write(piece)

    def close(self) -> bytes:
        return self._body.getvalue()

    def _too_large(self) -> Failure:
        return Failure("too_large", f"the body is larger than {self._max} bytes")


class _Gunzip(_Identity):
    """A body unpacked as it comes, bounded at every step; each member must be whole, with its check sum."""

    def __init__(self, max_body: int) -> None:
        super().__init__(max_body)
        self._member: zlib._Decompress | None = None

    def expect(self, length: int) -> None:
        """What is expected says nothing of the unpacked size."""

    def write(self, piece: bytes) -> None:
        try:
            while piece:
                piece = self._unpack(piece)
        except zlib.error as error:
            raise Failure("protocol", f"the gzip body is damaged: {error}") from error

    def _unpack(self, piece: bytes) -> bytes:
        """Unpack a step; answers what is left of the piece."""
        self._member = self._member or zlib.decompressobj(wbits=31)
        super().write(self._member.decompress(piece, PIECE))
        if not self._member.eof:
            return self._member.unconsumed_tail
        left = self._member.unused_data
        self._member = None
        return left

    def close(self) -> bytes:
        if self._member is not None:
            super().write(self._member.flush())
            if not self._member.eof:
                raise Failure("truncated", "the gzip body ends before its check sum")
        return super().close()
