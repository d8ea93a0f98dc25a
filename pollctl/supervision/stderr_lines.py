"""What passes write to stderr: passed on at once, or kept until it is known whether it is news."""

from __future__ import annotations

import sys
from contextlib import suppress

from pollctl import redaction
from pollctl.redaction import one_line

_MOST_LINES = 1000  # of what one pass writes that are kept until it ends
_ERROR = "pollctl: "
"""What the lines begin with in which a process says why it ends."""


class StderrLines:
    """What the processes of passes write to stderr.

    Args:
        is_live: whether lines are passed on as they come, or kept until ``print_rest``.
    """

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._kept: dict[str, list[str]] = {}

    def take(self, name: str, line: str) -> None:
        """Take a line; those that say why a process ends are always kept."""
        if self._is_live and not line.startswith(_ERROR):
            self._print(name, line)
            return
        kept = self._kept.setdefault(name, [])
        if len(kept) < _MOST_LINES:
            kept.append(line)
        elif len(kept) == _MOST_LINES:
            kept.append("(the rest of what it said is left out)")

    def errors(self, name: str) -> str:
        """Why the process of a plugin ended, on one line; the last line of all if it did not say."""
        kept = [line for line in self._kept.get(name, []) if line.strip()]
        errors = [line.removeprefix(_ERROR) for line in kept if line.startswith(_ERROR)]
        return "; ".join(errors) or (kept[-1].strip() if kept else "")

    def print_rest(self, name: str, *, but: str) -> None:
        """Print what was kept, apart from the errors and from what is printed as the pass' message."""
        for line in self._kept.get(name, []):
            if line.strip() not in ("", but) and not line.startswith(_ERROR):
                self._print(name, line)

    def _print(self, name: str, line: str) -> None:
        warn(line if line.startswith(f"{name}: ") else f"{name}: {line}")


def warn(text: str) -> None:
    """Write one line to stderr, secrets masked; nobody is left to hear of it when that fails."""
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"{one_line(redaction.mask(text))}\n")
        sys.stderr.flush()
