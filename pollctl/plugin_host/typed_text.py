"""What commands of plugins are given as text: options that a function reads, and files that a person wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pollctl.errors import UsageError

LARGEST = 10_000_000
"""Characters of a file; lists of ten thousand lines have a tenth of that."""


class ReadBy(click.ParamType[Any]):
    """The type of an option that a function reads from text; its ValueError becomes the message.

    Args:
        name: what help calls such a value.
        read: reads the text, without blanks around it.
    """

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the value, or end the command with what is wrong with it."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value.strip())
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


def text_of(path: Path, what: str) -> str:
    """The text of a file, with or without the mark that spreadsheets put before it.

    Args:
        path: the file.
        what: it should be, such as ``a list of jobs``.

    Raises:
        UsageError: it cannot be read, is not UTF-8, or larger than 10 MB.
    """
    try:
        with path.open(encoding="utf-8-sig") as opened:
            text = opened.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None
    if len(text) > LARGEST:
        raise UsageError(f"{path}: larger than 10 MB; that is not {what}")
    return text
