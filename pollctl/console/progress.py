"""How far long work has come: one line at the bottom of a terminal, gone when the work is done; and what stands after Ctrl-C.

Rich could draw it, but hides the cursor meanwhile, and a pass that is killed would leave it hidden.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from pollctl.console import log_format
from pollctl.console.terminal import is_terminal, terminal
from pollctl.errors import StoppedError
from pollctl.redaction import mask, one_line

_ERASE = "\r\x1b[2K"
_PAUSE_S = 0.1  # nobody reads faster
_drawing = threading.RLock()
_shown: list[Progress] = []


class Progress:
    """The line; where nobody looks at stderr, or the log is JSON or verbose, it is never drawn."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._text = ""
        self._drawn_at = float("-inf")

    def show(self, text: str) -> None:
        """Let the line say *text*, cut to the width of the terminal; what comes too fast is left out."""
        if self._stream is None or time.monotonic() - self._drawn_at < _PAUSE_S:
            return
        with _drawing:
            self._drawn_at = time.monotonic()
            self._text = one_line(mask(text))
            self._draw()

    def count(self, what: str, done: int, total: int) -> None:
        """Let the line say how many of how many are done."""
        self.show(f"{what}: {done} of {total} ({100 * done // max(1, total)} %)")

    def clear(self) -> None:
        """Take the line away until it is shown again."""
        self._text = ""
        self._drawn_at = float("-inf")
        self._write(_ERASE)

    def _draw(self) -> None:
        if self._stream and self._text:
            screen = terminal(self._stream)
            room = screen.width - 1
            text = self._text if len(self._text) <= room else f"{self._text[: room - 1]}{screen.ellipsis}"
            self._write(f"{_ERASE}{text}")

    def _write(self, text: str) -> None:
        if self._stream:
            with suppress(OSError, ValueError):  # the work goes on when nobody is left to see it
                self._stream.write(text)
                self._stream.flush()


@contextmanager
def progress() -> Iterator[Progress]:
    """Have a line that says how far work has come, until the end of the block."""
    line = Progress(sys.stderr if _is_wanted() else None)
    _shown.append(line)
    try:
        yield line
    finally:
        _shown.remove(line)
        line.clear()


@contextmanager
def above_progress() -> Iterator[None]:
    """Write to a terminal meanwhile; the line goes away for it and comes back below."""
    if not _shown:
        yield
        return
    with _drawing:
        line = _shown[-1]
        line._write(_ERASE)  # noqa: SLF001 - of this module
        try:
            yield
        finally:
            line._draw()  # noqa: SLF001


def say_at_once(text: str) -> None:
    """Write a line to the terminal behind stderr from a handler of signals, where streams must not be used."""
    if is_terminal(sys.stderr):
        with suppress(OSError):
            os.write(2, f"\n{text}\n".encode())


@contextmanager
def until_stopped(what_stands: Callable[[], str]) -> Iterator[None]:
    """Let Ctrl-C end the block with a sentence about what was done and stands.

    Raises:
        StoppedError: it was pressed.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise StoppedError(f"stopped: {what_stands()}") from error


def _is_wanted() -> bool:
    is_plain = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    return is_terminal(sys.stderr) and not (is_plain or log_format.is_json() or log_format.is_verbose())
