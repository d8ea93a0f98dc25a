"""Which columns fit on a screen, how wide each is, and the lines that come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl.api.listing import Column
from pollctl.console import cells
from pollctl.console.moments import Moments
from pollctl.console.terminal import Terminal

if TYPE_CHECKING:
    from rich.text import Text

_GAP = 2
_LEAST = 16
_LAST_LEAST = 24
_SHORTEST = 6


class Placed(NamedTuple):
    """A column that is shown: what stands above it, its texts, and how wide it is."""

    column: Column
    title: str
    texts: Sequence[Any]
    width: int = 0

    @property
    def natural(self) -> int:
        """The width at which nothing is shortened and no word of the heading is cut."""
        return max([*map(width_of, self.texts), *map(len, self.title.split()), 1])

    def least(self, *, is_last: bool) -> int:
        """The width below which it does not go while another column can be left out instead."""
        if not self.column.is_flexible:
            return self.natural
        return min(self.natural, max(_LAST_LEAST if is_last else _LEAST, *map(len, self.title.split()), 1))


def lines_of(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    terminal: Terminal,
    moments: Moments,
    *,
    has_heading: bool = True,
) -> list[Text]:
    """A listing for a screen: headings, then a line for each row, more where a text wraps."""
    placed = fitted([_placed(column, rows, moments) for column in columns], terminal.width)
    lines = _heading(placed) if has_heading else []
    for number in range(len(rows)):
        lines += _row([_cell(one, number) for one in placed], placed, terminal)
    return lines


def fitted(placed: Sequence[Placed], width: int) -> list[Placed]:
    """The columns that fit into *width*, each with the width that it gets."""
    kept = [one for one in placed if not (one.column.drop and _is_blank(one))] or list(placed)
    while sum(_leasts(kept)) + _gaps(kept) > width and any(one.column.drop for one in kept):
        kept.remove(max(kept, key=lambda one: (one.column.drop, placed.index(one))))
    widths = _leasts(kept)
    room = width - sum(widths) - _gaps(kept)
    for place, one in enumerate(kept):
        more = min(room, one.natural - widths[place]) if room > 0 else 0
        if room < 0 and one.column.is_flexible:
            more = max(room, _SHORTEST - widths[place])
        widths[place] += more
        room -= more
    for place, one in enumerate(kept):  # a heading stays on one line where there is room for it
        more = min(max(0, room), max(0, len(one.title) - widths[place]))
        if widths[place] + more >= len(one.title):
            widths[place] += more
            room -= more
    return [one._replace(width=width) for one, width in zip(kept, widths, strict=True)]


def width_of(text: Any) -> int:
    """How many columns of a screen a text takes; characters of East Asia take two."""
    from rich.cells import cell_len

    return cell_len(text if isinstance(text, str) else text.plain)


def _placed(column: Column, rows: Sequence[Mapping[str, Any]], moments: Moments) -> Placed:
    title = column.title
    if column.kind == "moment" and not moments.is_utc:
        title = f"{title} ({moments.zone_name})"
    return Placed(column, title, [_text(row[column.key], column, moments) for row in rows])


def _text(value: Any, column: Column, moments: Moments) -> Any:
    """What a cell holds: a text, or one that has its colours already."""
    return value if hasattr(value, "plain") else cells.shown(value, column.kind, moments)


def _is_blank(one: Placed) -> bool:
    return bool(one.texts) and all(text == cells.NOTHING for text in one.texts)


def _leasts(placed: Sequence[Placed]) -> list[int]:
    last = max((place for place, one in enumerate(placed) if one.column.is_flexible), default=-1)
    return [one.least(is_last=place == last) for place, one in enumerate(placed)]


def _gaps(placed: Sequence[Placed]) -> int:
    return _GAP * (len(placed) - 1)


def _heading(placed: Sequence[Placed]) -> list[Text]:
    """Headings, at the bottom of as many lines as the highest needs; they wrap between words only."""
    from rich.text import Text

    stacks = [_wrapped(one.title, one.width) for one in placed]
    height = max(map(len, stacks))
    stacks = [[""] * (height - len(stack)) + stack for stack in stacks]
    return [_line([Text(stack[level], "bold") for stack in stacks], placed) for level in range(height)]


def _wrapped(title: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in title.split() or [""]:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _cell(one: Placed, number: int) -> Text:
    from rich.text import Text

    text = one.texts[number]
    return text if isinstance(text, Text) else Text(text, cells.style(text, one.column.kind))


def _row(texts: Sequence[Text], placed: Sequence[Placed], terminal: Terminal) -> list[Text]:
    from rich.text import Text

    stacks = [_fitting(text, one, terminal) for text, one in zip(texts, placed, strict=True)]
    height = max(map(len, stacks))
    return [
        _line([stack[level] if level < len(stack) else Text() for stack in stacks], placed) for level in range(height)
    ]


def _fitting(text: Text, one: Placed, terminal: Terminal) -> list[Text]:
    """A cell within the width of its column: as it is, wrapped or shortened; what is not flexible has the room that it needs."""
    if width_of(text) <= one.width:
        return [text]
    if one.column.wraps:
        return wrapped(text, one.width)
    return [shortened(text, one.width, terminal)]


def wrapped(text: Text, width: int) -> list[Text]:
    """A text in lines of at most *width*."""
    from rich.console import Console

    return list(text.wrap(Console(width=width), width, overflow="fold"))


def shortened(text: Text, width: int, terminal: Terminal) -> Text:
    """A text of at most *width*, its end replaced by an ellipsis where it is longer."""
    if width_of(text) <= width:
        return text
    text = text.copy()
    text.truncate(width - 1)
    text.rstrip()
    return text.append(terminal.ellipsis)


def _line(texts: Sequence[Text], placed: Sequence[Placed]) -> Text:
    from rich.text import Text

    line = Text()
    for place, (text, one) in enumerate(zip(texts, placed, strict=True)):
        blanks = " " * max(0, one.width - width_of(text))
        line.append(" " * _GAP if place else "")
        line.append_text(Text.assemble(blanks, text) if one.column.is_right else Text.assemble(text, blanks))
    return line
