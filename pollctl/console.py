"""How results reach people and programs: tables, one JSON document, escaped text, quiet ends of broken pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from math import isfinite
from typing import Any, TextIO

from pollctl.clock import to_text
from pollctl.errors import PollctlError
from pollctl.redaction import one_line

_STYLES = {
    "ok": "green",
    "delivered": "green",
    "due": "bold",
    "warn": "yellow",
    "partial": "yellow",
    "interrupted": "yellow",
    "unknown": "yellow",
    "running": "cyan",
    "failed": "red",
    "crashed": "red",
    "dead": "red",
    "broken": "red",
    "FAIL": "red",
}


def print_rows(
    rows: Sequence[Mapping[str, Any]] | Mapping[str, Any], *, as_json: bool, columns: Sequence[str] = ()
) -> None:
    """Print rows as a table, one row as a list of its fields, or either as one JSON document.

    Args:
        rows: one or many; every row of many has the same keys.
        as_json: whether all of it goes out as JSON.
        columns: which keys a table shows, all of them if empty; JSON always has all.
    """
    if as_json:
        print_json(rows)
    elif isinstance(rows, Mapping):
        _print_table([(key, _cell(value)) for key, value in rows.items()])
    elif rows:
        keys = list(columns or rows[0])
        _print_table([keys, *([_cell(row[key]) for key in keys] for row in rows)], has_header=True)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    import json

    _write_to_stdout(f"{json.dumps(as_plain(value), indent=2)}\n")


def as_plain(value: Any) -> Any:
    """A value as JSON has it: structs and mappings as objects, moments as database text, no NaN."""
    import msgspec

    from pollctl import units

    return _jsonable(msgspec.to_builtins(value, builtin_types=(datetime,), str_keys=True, enc_hook=units.encode))


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, datetime):
        return to_text(value)
    return None if isinstance(value, float) and not isfinite(value) else value


def print_text(text: str) -> None:
    """Write lines to stdout, what does not print escaped; a reader that went away is not an error.

    Raises:
        PollctlError: they cannot be written (disk full); the work before was done.
    """
    _write_to_stdout("".join(f"{_printable(line)}\n" for line in text.split("\n")))


def print_document(text: str) -> None:
    """Write a text for a program to stdout as it is.

    Raises:
        PollctlError: as for ``print_text``.
    """
    _write_to_stdout(text)


def _printable(line: str) -> str:
    """*line* with its tabs, and everything else that does not print escaped."""
    return "\t".join(map(one_line, line.split("\t")))


def _write_to_stdout(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise PollctlError(f"stdout cannot be written: {error.strerror}; what was done before stands") from error


def warn(line: str) -> None:
    """Write one line to stderr, with the program's name before it."""
    log(f"pollctl: {line}")


def log(line: str) -> None:
    """Write one line to stderr, secrets masked; nobody is left to hear of it when that fails."""
    from pollctl.redaction import mask

    _write_to_stderr(f"{one_line(mask(line))}\n")


def log_traceback(error: BaseException) -> None:
    """Write the traceback of an error to stderr, secrets masked."""
    import traceback

    from pollctl.redaction import mask

    text = mask("".join(traceback.format_exception(error)))
    _write_to_stderr("".join(f"{one_line(line)}\n" for line in text.splitlines()))


def _write_to_stderr(text: str) -> None:
    try:
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


def age(seconds: float) -> str:
    """A length of time as people say it, in its two largest units: ``3 d 4 h``, ``2 min``, ``12 s``."""
    whole = max(0, round(seconds))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if whole >= size:
            parts.append(f"{whole // size} {unit}")
            whole %= size
    return " ".join(parts[:2]) or "0 s"


def _cell(value: Any) -> str:
    if value is None or value in ("", {}, []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, datetime):
        return to_text(value)
    return one_line(str(value))


def _print_table(rows: Sequence[Sequence[str]], *, has_header: bool = False) -> None:
    """Print aligned columns; in colour, and folded to its width, on a terminal only."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, width=None if is_terminal else 100_000, force_terminal=is_terminal, highlight=False
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for index, row in enumerate(rows):
        style = "bold" if has_header and index == 0 else ""
        table.add_row(*(Text(cell, style=style or _STYLES.get(cell, ""), overflow="fold") for cell in row))
    with console.capture() as captured:
        console.print(table)
    _write_to_stdout("".join(f"{line.rstrip()}\n" for line in captured.get().rstrip("\n").split("\n")))


def abandon_stdout() -> None:
    """Let what is left in buffers go nowhere, so that the interpreter does not stumble over it at its end."""
    _abandon(sys.stdout)


def _abandon(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
