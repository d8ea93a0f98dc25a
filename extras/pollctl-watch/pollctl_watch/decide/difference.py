"""How two texts differ: a unified diff with words marked, as text and as HTML."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape

from pollctl import counted

LONGEST = 3800
"""Bytes of a difference where nothing else is said."""
_COMPARED = 1500
"""Lines on either side that are compared line by line, which takes time by their product."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_MARKS = {"": ("", ""), "-": ("[-", "-]"), "+": ("{+", "+}")}
_TAGS = {"-": "del", "+": "ins"}
_COLOURS = {"-": "background:#ffebe9;color:#600", "+": "background:#e6ffec;color:#030"}
_MARKUP = 20
"""More bytes than the marks of a word are."""

Line = list[tuple[str, str]]
"""Words, each after what became of it: ``-`` it went, ``+`` it came; the first of them begin with the sign of the line."""
Render = Callable[[Line], str]


def as_text(line: Line) -> str:
    """A line, ``[-so-]`` what went and ``{+so+}`` what came."""
    return "".join(f"{_MARKS[step][0]}{words}{_MARKS[step][1]}" for step, words in line)


def as_html(line: Line) -> str:
    """The same, coloured too, and with the words for it that programs read aloud."""
    words = "".join(_word_in_html(step, words) for step, words in line)
    colours = _COLOURS.get(line[0][1][:1])
    return f'<span style="{colours}">{words}</span>' if colours else words


def _word_in_html(step: str, words: str) -> str:
    shown = escape(f"{_MARKS[step][0]}{words}{_MARKS[step][1]}")
    return f"<{_TAGS[step]}>{shown}</{_TAGS[step]}>" if step else shown


def difference(old: str, new: str, render: Render = as_text, most: int = LONGEST) -> str:
    """A unified diff without its head, at most so many bytes of it; empty where both are the same."""
    if old == new:
        return ""
    told: list[str] = []
    size = 0
    lines = list(_marked(_differing(old.splitlines(), new.splitlines())))
    for number, line in enumerate(lines):
        shown = _bounded(line, render, most // 4)
        size += _size(shown) + 1
        if size > most:
            return "\n".join([*told, f"… and {counted(len(lines) - number, 'more line')}"])
        told.append(shown)
    return "\n".join(told)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _bounded(line: Line, render: Render, most: int) -> str:
    """A line, cut where it is too long."""
    if _size(whole := render(line)) <= most:
        return whole
    kept: Line = []
    left = most - 3 * _MARKUP
    for step, words in line:
        part = words[: max(0, left)]
        while part and _size(escape(part)) > left:
            part = part[: len(part) * 3 // 4]
        kept.append((step, part))
        left -= _size(escape(part)) + (_MARKUP if step else 0)
        if len(part) < len(words):
            break
    return render([*kept, ("", "…")])


def _differing(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """A unified diff without its head; of texts that are too long to be compared, both sides of what is not the same."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    left, right = old[start:], new[start:]
    end = next((i for i, (a, b) in enumerate(zip(reversed(left), reversed(right), strict=False)) if a != b), None)
    end = min(len(left), len(right)) if end is None else end
    if max(len(left), len(right)) - end > _COMPARED:
        gone, came = left[: len(left) - end], right[: len(right) - end]
        return [f"@@ -{start + 1},{len(gone)} +{start + 1},{len(came)} @@", *_signed("-", gone), *_signed("+", came)]
    return list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]


def _signed(sign: str, lines: Sequence[str]) -> Iterator[str]:
    return (f"{sign}{line}" for line in lines[:_COMPARED])


def _marked(lines: Sequence[str]) -> Iterator[Line]:
    """The same lines; where one line took the place of one, with their words marked."""
    at = 0
    while at < len(lines):
        pair = lines[at : at + 2]
        is_pair = [one[:1] for one in pair] == ["-", "+"] and not _continues(lines, at)
        yield from _with_words(*pair) if is_pair else [[("", lines[at])]]
        at += 2 if is_pair else 1


def _continues(lines: Sequence[str], at: int) -> bool:
    """Whether more lines than one went, or came."""
    return (at > 0 and lines[at - 1][:1] == "-") or (at + 2 < len(lines) and lines[at + 2][:1] == "+")


def _with_words(gone: str, came: str) -> tuple[Line, Line]:
    old, new = _WORD.findall(gone[1:])[:500], _WORD.findall(came[1:])[:500]
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    left = [("" if step == "equal" else "-", "".join(old[start:end])) for step, start, end, _, _ in steps]
    right = [("" if step == "equal" else "+", "".join(new[start:end])) for step, _, _, start, end in steps]
    return [("", "-"), *filter(_has_words, left)], [("", "+"), *filter(_has_words, right)]


def _has_words(piece: tuple[str, str]) -> bool:
    return bool(piece[1])
