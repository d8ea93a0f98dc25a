"""How the log on stderr is written, for this command: as text or JSON, with the events of passes or without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

Format = Literal["text", "json"]


class _LogFormat(NamedTuple):
    format: Format = "text"
    is_verbose: bool = False
    is_chosen: bool = False
    is_debugging: bool = False


_current = _LogFormat()


@contextmanager
def kept() -> Iterator[None]:
    """Begin with text; afterwards the format is as before, as one command may start others."""
    global _current  # noqa: PLW0603 - stderr is one for the whole process too
    before, _current = _current, _LogFormat()
    try:
        yield
    finally:
        _current = before


def choose(format_: Format | None, *, is_verbose: bool, is_debugging: bool = False) -> None:
    """Take what the command line says; None says nothing of the format."""
    global _current  # noqa: PLW0603
    _current = _LogFormat(format_ or "text", is_verbose, format_ is not None, is_debugging)


def settle(format_: Format) -> None:
    """Take what the settings say, unless the command line said something else."""
    global _current  # noqa: PLW0603
    if not _current.is_chosen:
        _current = _current._replace(format=format_)


def is_json() -> bool:
    """Whether each line is to be one JSON object."""
    return _current.format == "json"


def is_verbose() -> bool:
    """Whether the events of passes are wanted as text."""
    return _current.is_verbose


def is_debugging() -> bool:
    """Whether tracebacks are wanted of errors that have an explanation."""
    return _current.is_debugging


def options() -> list[str]:
    """The options that make a process of pollctl write its log as this one does."""
    return [
        *(["--log-format", _current.format] if _current.is_chosen else []),
        *(["--verbose"] if _current.is_verbose else []),
        *(["--debug"] if _current.is_debugging else []),
    ]
