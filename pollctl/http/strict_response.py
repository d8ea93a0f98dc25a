"""The form of an answer: status, headers, chunks and trailers, read strictly where http.client would guess (RFC 9112).

http.client still parses; it is given lines that are whole and mean one thing, and no interim answers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

from pollctl.http.errors import Failure, cut_within_lines

LONGEST_LINE = 65_536
MOST_FIELDS = 100  # as http.client has it; trailers count as headers do
INTERIM = range(100, 200)
SWITCHING = 101  # an interim status behind which HTTP ends
STATUS = rb"HTTP/(?:1\.[01]|2) ([1-9]\d\d)(?: [^\r\n\0]*)?"
"""A status line without its end."""
FIELD = rb"[!-9;-~]+:"
"""The name of a header: visible ASCII, more than a token, since some servers write odd names."""
_STATUS_LINE, _FIELD = re.compile(STATUS + rb"\r?\n"), re.compile(FIELD)
_BLANKS = b" \t\r\n"


class Lines(io.BufferedReader):
    """The bytes of one answer; each line among them must be whole, without NUL or a carriage return within it."""

    _has_begun = False

    def readline(self, size: int | None = -1) -> bytes:
        """The next line, or nothing where the upstream closed before the first.

        Raises:
            Failure: ``truncated`` or ``protocol``.
        """
        line = super().readline(size)
        if not line.endswith(b"\n"):
            if len(line) == size or not (line or self._has_begun):
                return line  # too long, or nothing at all: the reader has a word for that
            raise cut_within_lines()
        self._has_begun = True
        refuse_doubtful(line)
        return line


def refuse_doubtful(line: bytes) -> None:
    """Refuse a line that two readers may end at two places.

    Raises:
        Failure: ``protocol``.
    """
    text = line[:-1].removesuffix(b"\r")
    if b"\r" in text or b"\0" in text:
        raise Failure("protocol", f"a NUL or a bare carriage return in the line {text[:80]!r}")


def status_of(line: bytes) -> int:
    """The status of an answer, by its first line.

    Raises:
        Failure: ``protocol``.
    """
    found = _STATUS_LINE.fullmatch(line)
    if not found:
        raise Failure("protocol", f"the line {line[:80]!r} is not a status")
    return int(found[1])


def fields(next_line: Callable[[], bytes]) -> list[bytes]:
    """The lines up to an empty one, each a name and a value without blanks around it; folded ones in one.

    Args:
        next_line: answers one line after another, each with its end.

    Raises:
        Failure: ``protocol``.
    """
    found: list[bytes] = []
    while (line := next_line()) not in (b"\r\n", b"\n"):
        if found and line[:1] in (b" ", b"\t"):
            found[-1] = (found[-1].rstrip(_BLANKS) + b" " + line.strip(_BLANKS)).rstrip(_BLANKS) + b"\r\n"
            continue
        if not _FIELD.match(line):
            raise Failure("protocol", f"the line {line[:80]!r} is not a header")
        if len(found) == MOST_FIELDS:
            raise Failure("protocol", f"more than {MOST_FIELDS} headers")
        found.append(line.rstrip(_BLANKS) + b"\r\n")
    return found


class StrictResponse(HTTPResponse):
    """An answer of which nothing is guessed; http.client makes it and calls the methods here.

    It does not promise to go on calling the last two: test_strict_parsing.py fails when it no longer does.
    """

    def __init__(self, sock: Any, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        self.fp: Any = Lines(self.fp.detach())

    def begin(self) -> None:
        """Read the head of the final answer, past interim ones.

        Raises:
            Failure: ``truncated`` or ``protocol``.
            http.client.HTTPException, OSError: as http.client raises it.
        """
        status, head = self._head()
        while status in INTERIM and status != SWITCHING:
            status, head = self._head()
        wire, self.fp = self.fp, io.BytesIO(head)
        try:
            super().begin()
        finally:
            self.fp = wire

    def _head(self) -> tuple[int, bytes]:
        """A status, and its line and headers, one line each; nothing where the upstream closed before it answered."""
        first = self._line()
        if not first:
            return 0, b""
        return status_of(first), b"".join((first, *fields(self._line), b"\r\n"))

    def _line(self) -> bytes:
        line: bytes = self.fp.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise Failure("protocol", f"a line of more than {LONGEST_LINE} bytes")
        return line

    def _read_and_discard_trailer(self) -> None:
        fields(self._line)

    def _get_chunk_left(self) -> int | None:
        if self.chunk_left == 0:
            if self.fp.readline(3) not in (b"\r\n", b"\n"):
                raise Failure("protocol", "a chunk is longer than its size says")
            self.chunk_left = None
        left: int | None = super()._get_chunk_left()  # type: ignore[misc]
        return left
