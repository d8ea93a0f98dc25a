"""How people are told what has changed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from pollctl import counted, shorten
from pollctl_watch.model import Condition, Seen

LONGEST = 3800
"""Characters of a difference, so that a message with its title and link stays below 4 KB in most languages."""
_COMPARED = 1500
"""Lines on either side that are compared line by line, which takes time by their product."""
_SHORT = 60
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


def changed_title(title: str, before: Seen, now: Seen, condition: Condition) -> str:
    """What has happened, in one line: old and new where they are short."""
    if condition.kind == "appears":
        return f"{title}: it is there" + (f", {shorten(now.text, _SHORT)}" if now.text else "")
    if condition.kind == "disappears":
        return f"{title}: it is gone" + (f", it was {shorten(before.text, _SHORT)}" if before.text else "")
    if condition.kind in ("contains", "missing"):
        return f"{title}: {condition.kind} {condition.words!r}"
    old, new = (str(one.number) if one.number else one.text for one in (before, now))
    is_short = all("\n" not in one and len(one) <= _SHORT for one in (old, new))
    return f"{title}: {old or 'nothing'} → {new or 'nothing'}" if is_short else f"{title} has changed"


def difference(old: str, new: str) -> str:
    """A unified diff with words marked, ``[-so-]`` what went and ``{+so+}`` what came; cut where it is too long."""
    if old == new:
        return ""
    told: list[str] = []
    size = 0
    lines = list(_marked(_differing(old.splitlines(), new.splitlines())))
    for number, line in enumerate(lines):
        cut = line if len(line) <= LONGEST // 4 else f"{line[: LONGEST // 4]}…"
        size += len(cut) + 1
        if size > LONGEST:
            return "\n".join([*told, f"… and {counted(len(lines) - number, 'more line')}"])
        told.append(cut)
    return "\n".join(told)


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


def _marked(lines: Sequence[str]) -> Iterator[str]:
    """The same lines; where one line took the place of one, with their words marked."""
    at = 0
    while at < len(lines):
        pair = lines[at : at + 2]
        is_pair = [one[:1] for one in pair] == ["-", "+"] and not _continues(lines, at)
        yield from _with_words(*pair) if is_pair else lines[at : at + 1]
        at += 2 if is_pair else 1


def _continues(lines: Sequence[str], at: int) -> bool:
    """Whether more lines than one went, or came."""
    return (at > 0 and lines[at - 1][:1] == "-") or (at + 2 < len(lines) and lines[at + 2][:1] == "+")


def _with_words(gone: str, came: str) -> tuple[str, str]:
    old, new = _WORD.findall(gone[1:])[:500], _WORD.findall(came[1:])[:500]
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    left = "".join(_word(step[0], "[-", "".join(old[step[1] : step[2]]), "-]") for step in steps)
    right = "".join(_word(step[0], "{+", "".join(new[step[3] : step[4]]), "+}") for step in steps)
    return f"-{left}", f"+{right}"


def _word(step: str, opening: str, words: str, closing: str) -> str:
    return words if step == "equal" or not words else f"{opening}{words}{closing}"
