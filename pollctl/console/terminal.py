"""What the screen can do: its width, colours, characters."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.text import Text

_USUAL = 80
_NARROWEST = 40


class Terminal(NamedTuple):
    """A screen.

    Attributes:
        width: in columns.
        has_colour: whether colours are wanted and can be shown.
        is_unicode: whether it shows more than ASCII.
    """

    width: int = _USUAL
    has_colour: bool = False
    is_unicode: bool = True

    @property
    def ellipsis(self) -> str:
        """What a shortened text ends in."""
        return "…" if self.is_unicode else "~"

    def rendered(self, lines: list[Text]) -> str:
        """Lines with the sequences that colour them, without blanks at their ends."""
        from rich.console import Console

        console = Console(
            file=sys.stdout, force_terminal=True, highlight=False, width=self.width, no_color=not self.has_colour
        )
        with console.capture() as captured:
            for line in lines:
                line.rstrip()
                console.print(line, soft_wrap=True)
        return captured.get().rstrip("\n")


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether somebody looks at a stream, stdout by default."""
    try:
        return (stream or sys.stdout).isatty()
    except ValueError:  # closed
        return False


def terminal(stream: TextIO | None = None) -> Terminal:
    """The screen behind a stream."""
    stream = stream or sys.stdout
    encoding = (getattr(stream, "encoding", None) or "").lower()
    return Terminal(_width(stream), may_colour(), encoding.startswith("utf"))


def may_colour() -> bool:
    """Whether colours are wanted (``NO_COLOR``), and the terminal is one that has them."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("dumb", "unknown")


def _width(stream: TextIO) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(_NARROWEST, int(columns))
    try:
        return max(_NARROWEST, os.get_terminal_size(stream.fileno()).columns or _USUAL)
    except (OSError, ValueError):
        return _USUAL
