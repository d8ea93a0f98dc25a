"""What passes print, to stderr or stdout: passed on at once, or kept until it is known whether it is news."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pollctl import console

MOST_KEPT = 1 << 20  # characters of what one pass prints that are kept until it ends
_MOST_LINES = 1000  # likewise
_ERROR = "pollctl: "
"""What the lines begin with in which a process says why it ends."""


class StderrLines:
    """What the processes of passes print.

    Args:
        is_live: whether lines are passed on as they come, or kept until ``print_rest``.
    """

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._kept: defaultdict[str, _Kept] = defaultdict(_Kept)

    def take(self, name: str, line: str) -> None:
        """Take a line; those that say why a process ends are always kept, events of a pass are always passed on."""
        event = _event(line) if console.log_format.is_json() else None
        if event is None:
            self._take_text(name, line)
        elif event["event"] == "log":
            for text in str(event.get("message", "")).splitlines():
                self._take_text(name, text)
        else:
            console.log_json(event["event"], None, event)

    def _take_text(self, name: str, line: str) -> None:
        kept = self._kept[name]
        if line.startswith(_ERROR):
            kept.errors.add(line.removeprefix(_ERROR))
        elif self._is_live:
            self._print(name, line)
        else:
            kept.others.add(line)
        if not self._is_live:
            kept.last = line.strip() or kept.last

    def errors(self, name: str) -> str:
        """Why the process of a plugin ended, on one line; the last line of all if it did not say."""
        kept = self._kept[name]
        return "; ".join(line for line in kept.errors.lines if line.strip()) or kept.last

    def print_rest(self, name: str, *, but: str) -> None:
        """Print what was kept, apart from the errors and from what is printed as the pass' message."""
        others = self._kept[name].others
        for line in others.lines:
            if line.strip() not in ("", but):
                self._print(name, line)
        if others.left_out:
            self._print(name, f"(the rest of what it printed is left out: {others.left_out} lines)")

    def _print(self, name: str, line: str) -> None:
        console.log(line if line.startswith(f"{name}: ") else f"{name}: {line}")


class _Lines:
    """The first lines, as many as there is room for, and how many were left out."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left_out = 0
        self._room = MOST_KEPT

    def add(self, line: str) -> None:
        self._room -= len(line)
        if self._room < 0 or len(self.lines) >= _MOST_LINES:
            self.left_out += 1
        else:
            self.lines.append(line)


class _Kept:
    """What one pass has printed: why it ends, the rest, and the last line; a flood of one takes no room from the others."""

    def __init__(self) -> None:
        self.errors = _Lines()
        self.others = _Lines()
        self.last = ""


def _event(line: str) -> Mapping[str, Any] | None:
    """What a process that writes its log as JSON says in a line; None for another line."""
    with suppress(ValueError):
        said = json.loads(line)
        if isinstance(said, dict) and isinstance(said.get("event"), str):
            return said
    return None
