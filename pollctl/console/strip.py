"""The last passes of a plugin as a row of marks: higher and redder is worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.text import Text

    from pollctl.console.terminal import Terminal


class Mark(NamedTuple):
    """How an outcome is drawn: in colour, without colours, and in ASCII."""

    coloured: str
    style: str
    letter: str
    ascii: str


_OK = Mark("▂", "green", "▂", ".")
_PARTIAL = Mark("▅", "yellow", "p", "p")
_FAILED = Mark("█", "red", "F", "F")
_RUNNING = Mark("▁", "cyan", "r", "r")
_MARKS = {
    "ok": _OK,
    "partial": _PARTIAL,
    "interrupted": _PARTIAL,
    "failed": _FAILED,
    "crashed": _FAILED,
    "running": _RUNNING,
}


def strip(outcomes: Sequence[str], screen: Terminal) -> Text:
    """Outcomes as marks, in their order."""
    from rich.text import Text

    return Text.assemble(*((_drawn(_MARKS[outcome], screen), _MARKS[outcome].style) for outcome in outcomes))


def legend(screen: Terminal) -> Text:
    """What the marks mean."""
    from rich.text import Text

    line = Text()
    for mark, word in ((_OK, "ok"), (_PARTIAL, "partial or interrupted"), (_FAILED, "failed or crashed")):
        line.append("   " if line else "").append(_drawn(mark, screen), mark.style).append(f" {word}")
    return line


def _drawn(mark: Mark, screen: Terminal) -> str:
    if not screen.is_unicode:
        return mark.ascii
    return mark.coloured if screen.has_colour else mark.letter
