"""The chunks of a body taken apart (RFC 9112 §7.1): libcurl finds their end, but takes more than one meaning for it."""

from __future__ import annotations

import re

from pollctl.http.errors import Failure, cut_within_lines
from pollctl.http.strict_response import LONGEST_LINE, fields, refuse_doubtful

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n")
_ENDS = (b"\r\n", b"\n")


class Chunks:
    """The chunks of one body."""

    def __init__(self) -> None:
        self._held = b""  # the beginning of a line
        self._left = 0  # of the data of a chunk
        self._is_data_over = False  # of a chunk, whose line end comes next
        self._trailers: list[bytes] | None = None
        self._is_over = False

    def data_of(self, piece: bytes) -> bytes:
        """What there is of the body in a piece of what came.

        Raises:
            Failure: ``protocol``.
        """
        data = []
        piece, self._held = self._held + piece, b""
        while piece:
            if self._left:
                data.append(piece[: self._left])
                piece = piece[len(data[-1]) :]
                self._left -= len(data[-1])
                self._is_data_over = not self._left
                continue
            line, end, rest = piece.partition(b"\n")
            if not end:
                self._hold(piece)
                break
            self._take(line + end)
            piece = rest
        return b"".join(data)

    def close(self) -> None:
        """Say that nothing more comes.

        Raises:
            Failure: ``truncated``; ``protocol``, where a trailer is none.
        """
        if not self._is_over:
            raise cut_within_lines()
        lines = iter([*(self._trailers or []), b"\r\n"])
        fields(lambda: next(lines))

    def _hold(self, line: bytes) -> None:
        if len(line) > LONGEST_LINE:
            raise Failure("protocol", f"a line of more than {LONGEST_LINE} bytes")
        self._held = line

    def _take(self, line: bytes) -> None:
        refuse_doubtful(line)
        if self._is_data_over:
            if line not in _ENDS:
                raise Failure("protocol", "a chunk is longer than its size says")
            self._is_data_over = False
        elif self._trailers is not None:
            self._is_over = line in _ENDS
            if not self._is_over:
                self._trailers.append(line)
        elif not (size := _SIZE.fullmatch(line)):
            raise Failure("protocol", f"the line {line[:80]!r} is not the size of a chunk")
        elif left := int(size[1], 16):
            self._left = left
        else:
            self._trailers = []
