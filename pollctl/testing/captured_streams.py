"""The standard streams of this process, led into memory for a while, down to their descriptors."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, Any, Self


class CapturedStreams:
    """Descriptors 0 to 2 and the streams on them, led to nowhere and into memory.

    Attributes:
        said: what was written to stdout and stderr, once the block has ended.
    """

    said: tuple[str, str]

    def __enter__(self) -> Self:
        self._streams = sys.stdin, sys.stdout, sys.stderr
        sys.stdout.flush()
        sys.stderr.flush()
        self._kept = [os.dup(number) for number in range(3)]
        self._memory = [os.memfd_create("stdout"), os.memfd_create("stderr")]
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for number, descriptor in enumerate((nowhere, *self._memory)):
            os.dup2(descriptor, number)
        os.close(nowhere)
        sys.stdin, sys.stdout, sys.stderr = _opened(0, "r"), _opened(1, "w"), _opened(2, "w", buffering=1)
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        for number, descriptor in enumerate(self._kept):
            os.dup2(descriptor, number)
            os.close(descriptor)
        stdout, stderr = map(_content, self._memory)
        self.said = stdout, stderr


def _opened(number: int, mode: str, buffering: int = -1) -> Any:
    return open(number, mode, buffering, encoding="utf-8", errors="backslashreplace", closefd=False)


def _content(descriptor: int) -> str:
    """All that was written, to the last character: carriage returns too, which a process' output read as text would lose."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    file: IO[str]
    with open(descriptor, encoding="utf-8", newline="") as file:
        return file.read()
