"""The standard streams: escaped text, stdout kept for one document, quiet ends of broken pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TextIO

from pollctl import clock
from pollctl.console import log_format
from pollctl.console.progress import above_progress
from pollctl.errors import PollctlError, UsageError
from pollctl.redaction import one_line


def print_text(text: str) -> None:
    """Write lines to stdout, what does not print escaped; a reader that went away is not an error.

    Raises:
        PollctlError: they cannot be written (disk full); the work before was done.
    """
    print_document("".join(f"{_printable(line)}\n" for line in text.split("\n")))


def print_sentence(line: str) -> None:
    """Write a line to stdout; on a terminal that is narrower it goes on between two words, below its own beginning.

    Raises:
        PollctlError: as for ``print_text``.
    """
    from pollctl.console.terminal import is_terminal, terminal

    line = one_line(line)
    if is_terminal() and len(line) > (width := terminal().width):
        import textwrap

        further = " " * (len(line) - len(line.lstrip()) + 4)
        line = textwrap.fill(line, width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)
    print_document(f"{line}\n")


def print_document(text: str) -> None:
    """Write a text to stdout as it is: a document for a program, or lines with their colours.

    Raises:
        PollctlError: as for ``print_text``.
    """
    try:
        with above_progress():
            sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise PollctlError(f"stdout cannot be written: {error.strerror}; what was done before stands") from error


def _printable(line: str) -> str:
    """*line* with its tabs, and everything else that does not print escaped."""
    return "\t".join(map(one_line, line.split("\t")))


def warn(line: str) -> None:
    """Write one line to stderr, with the program's name before it."""
    log(f"pollctl: {line}")


def log(line: str) -> None:
    """Write one line to stderr, secrets masked; nobody is left to hear of it when that fails."""
    from pollctl.redaction import mask

    if log_format.is_json():
        log_json("log", _now(), {"message": line})
        return
    _write_to_stderr(f"{_wrapped(one_line(mask(line)))}\n")


def log_json(event: str, at: datetime | None, facts: Mapping[str, Any]) -> None:
    """Write one JSON object to stderr, on one line, secrets masked."""
    from pollctl.console.json_values import json_text

    _write_to_stderr(f"{json_text({'at': at, 'event': event, **facts}, indent=None)}\n")


def _now() -> datetime | None:
    """The present moment; None while nobody can say (``POLLCTL_NOW`` is wrong)."""
    with suppress(UsageError):
        return clock.now()
    return None


def _wrapped(line: str) -> str:
    """A line for a terminal, folded between words where it is longer than that; for anything else as it is."""
    from pollctl.console.terminal import is_terminal, terminal

    if not is_terminal(sys.stderr) or len(line) <= (width := terminal(sys.stderr).width):
        return line
    import textwrap

    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)


def log_traceback(error: BaseException) -> None:
    """Write the traceback of an error to stderr, secrets masked."""
    import traceback

    log_lines("".join(traceback.format_exception(error)))


def log_lines(text: str) -> None:
    """Write a text of several lines to stderr as they are, secrets masked; as JSON it is one line."""
    from pollctl.redaction import mask

    text = mask(text)
    if log_format.is_json():
        log(text)
        return
    _write_to_stderr("".join(f"{one_line(line)}\n" for line in text.splitlines()))


def _write_to_stderr(text: str) -> None:
    try:
        with above_progress():
            sys.stderr.write(text)
            sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)


@contextmanager
def stdout_kept_for_json(as_json: bool) -> Iterator[None]:  # noqa: FBT001 - reads well where it is called
    """While the code of plugins runs, let what it prints come out on stderr, so that stdout has one document.

    In any case the standard streams are as before afterwards, whatever a plugin did to them.
    """
    streams = sys.stdout, sys.stderr
    _flush()
    kept = os.dup(1), os.dup(2)
    if as_json:
        os.dup2(2, 1)
    try:
        yield
    finally:
        _flush()
        for number, copy in enumerate(kept, start=1):
            os.dup2(copy, number)
            os.close(copy)
        sys.stdout, sys.stderr = (_open_again(stream, number) for number, stream in enumerate(streams, start=1))


def _flush() -> None:
    """Send on what a plugin printed; where that cannot be, it is not worth the report."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()


def _open_again(stream: TextIO, number: int) -> TextIO:
    """A standard stream, or another on the same descriptor when a plugin has closed it."""
    if not stream.closed:
        return stream
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def abandon_stdout() -> None:
    """Let what is left in buffers go nowhere, so that the interpreter does not stumble over it at its end."""
    _abandon(sys.stdout)


def _abandon(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()  # what waits goes nowhere too, whatever takes the descriptor next
