"""How an author says what the columns of a listing hold and which matter most: on terminals and in the report."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["text", "id", "state", "number", "moment", "age", "milliseconds", "span", "share", "code"]
"""What a column holds. Only ``text`` is ever shortened or wrapped; numbers, lengths and shares stand to the right."""
Standing = Literal["ok", "warn", "fail", "info", "none"]
"""How something stands: ``info`` is under way, ``none`` says nothing about good or bad."""
_RIGHT = frozenset({"number", "milliseconds", "span", "share"})


class State(Struct, frozen=True):
    """A word with its level, for cells of the kind ``state``: never colour alone."""

    word: str
    level: Standing


class Column(Struct, frozen=True):
    """One column of a listing on a terminal, or of a table in the report.

    Attributes:
        key: of each row.
        heading: what stands above it; the key in words if empty.
        kind: what it holds; ``moment`` and ``age`` are moments as the database keeps them, shown local and short, or as
            how long ago. ``span`` is a timedelta or a number of seconds, ``share`` a number from 0 to 1.
        drop: 0 keeps it at any width; where the terminal is too narrow the column with the highest number goes first, on a
            phone all but those with 0.
        wraps: whether a text that is too long goes on in the next line instead of ending in ``…``.
    """

    key: str
    heading: str = ""
    kind: Kind = "text"
    drop: int = 0
    wraps: bool = False

    @property
    def title(self) -> str:
        """What stands above it."""
        return self.heading or self.key.replace("_", " ")

    @property
    def is_flexible(self) -> bool:
        """Whether its values may be shortened or wrapped."""
        return self.kind == "text"

    @property
    def is_right(self) -> bool:
        """Whether its values end at the same place."""
        return self.kind in _RIGHT
