"""The body of an answer, read and unpacked within bounds: what is doubtful is an error, never a guess."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from pollctl.http.content_coding import codings_of, is_plain
from pollctl.http.errors import Failure
from pollctl.units import Size

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

PIECE = 65536  # bytes read or unpacked at once
_LONGEST = 2**63 - 1  # bytes that any reader can count


def whole_body(response: HTTPResponse, max_body: int, until: float) -> bytes:
    """The whole body, decoded, by ``time.monotonic`` *until*.

    Raises:
        Failure: ``too_large`` (*max_body* counts decoded bytes), ``truncated`` or ``protocol``.
        TimeoutError: it was not whole in time.
        urllib3.exceptions.HTTPError: the connection broke.
    """
    body = Body(response.headers, max_body, has_body=response.length_remaining != 0)
    is_framed = response.length_remaining is not None or "transfer-encoding" in response.headers
    while response.length_remaining != 0:
        # read1 takes what is there: a trickle cannot hold it beyond *until*, nor a made-up chunk size fill the memory
        piece = response.read1(PIECE)
        if not piece:
            break
        if time.monotonic() > until:
            raise TimeoutError
        body.write(piece)
    return body.close(is_framed=is_framed)


class Body:
    """A body that is read and unpacked piece by piece; what is doubtful of it is refused.

    urllib3 would unpack too, but says nothing of a gzip body that ends before its check sum; nor does libcurl.

    Args:
        headers: of the answer, names in lower case or in a mapping that does not mind.
        max_body: how many bytes there may be, decoded.
        has_body: whether anything is to come.

    Raises:
        Failure: ``too_large`` or ``protocol``.
    """

    def __init__(self, headers: Mapping[str, str], max_body: int, *, has_body: bool) -> None:
        length = _length_of(headers)
        self._codings = codings_of(headers.get("content-encoding", ""))
        self._is_packed = self._codings in (("gzip",), ("x-gzip",))
        if length > _LONGEST or (has_body and not self._is_packed and length > max_body):
            raise _too_large(max_body)
        self._sink = _Gunzip(max_body) if self._is_packed else _Identity(max_body)

    def write(self, piece: bytes) -> None:
        """Take what came.

        Raises:
            Failure: ``too_large`` or ``protocol``.
        """
        self._sink.write(piece)

    def close(self, *, is_framed: bool) -> bytes:
        """All of it.

        Args:
            is_framed: whether the answer said where its body ends; else no body at all is one that is missing.

        Raises:
            Failure: ``truncated`` or ``protocol``.
        """
        body = self._sink.close()
        if not body and not is_framed:
            raise Failure("truncated", "closed without a body, or before it began")
        if self._codings and not self._is_packed and not is_plain(body, self._codings):
            raise Failure("protocol", f"the body is encoded as {', '.join(self._codings)!r}, which was not asked for")
        return body


def _length_of(headers: Mapping[str, str]) -> float:
    """The length that an answer announces, 0 without (int does not read thousands of digits).

    A body whose end cannot be told for certain is refused (RFC 9112 §6); http.client would guess.
    """
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and (coding.lower() != "chunked" or length is not None):
        raise Failure("protocol", f"the body's end cannot be told: transfer-encoding {coding!r}, length {length!r}")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise Failure("protocol", f"content-length {length[:40]!r} is not a number")
    return float(length or 0)


class _Identity:
    """A body as it came, bounded."""

    def __init__(self, max_body: int) -> None:
        self._max = max_body
        self._size = 0
        self._body = BytesIO()

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max:
            raise _too_large(self._max)
        self._body.write(piece)

    def close(self) -> bytes:
        return self._body.getvalue()


class _Gunzip(_Identity):
    """A body unpacked as it comes, bounded after every step; each member must be whole, with its check sum.

    NULs after a member are padding, as gzip itself has it.
    """

    def __init__(self, max_body: int) -> None:
        super().__init__(max_body)
        self._member: zlib._Decompress | None = None
        self._is_padding = False

    def write(self, piece: bytes) -> None:
        if self._is_padding:
            piece = piece.lstrip(b"\0")
        try:
            while piece:
                piece = self._unpack(piece)
        except zlib.error as error:
            raise Failure("protocol", f"the gzip body is damaged: {error}") from error

    def _unpack(self, piece: bytes) -> bytes:
        """Unpack a step; answers what is left of the piece."""
        self._member = self._member or zlib.decompressobj(wbits=31)
        self._is_padding = False
        super().write(self._member.decompress(piece, PIECE))
        if not self._member.eof:
            return self._member.unconsumed_tail
        left = self._member.unused_data.lstrip(b"\0")
        self._member = None
        self._is_padding = True
        return left

    def close(self) -> bytes:
        if self._member is not None:
            super().write(self._member.flush())
            if not self._member.eof:
                raise Failure("truncated", "the gzip body ends before its check sum")
        return super().close()


def _too_large(max_body: int) -> Failure:
    return Failure("too_large", f"the body is larger than {Size(max_body)}")
