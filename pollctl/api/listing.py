"""How an author says which columns of a listing matter most."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["text", "id", "state", "number", "moment", "age", "milliseconds"]
"""What a column holds. Only ``text`` is ever shortened or wrapped; ``number`` and ``milliseconds`` stand to the right."""


class Column(NamedTuple):
    """One column of a listing on a terminal.

    Attributes:
        key: of each row.
        heading: what stands above it; the key in words if empty.
        kind: what it holds; ``moment`` and ``age`` are moments as the database keeps them, shown local and short, or as
            how long ago.
        drop: 0 keeps it at any width; where the terminal is too narrow the column with the highest number goes first.
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
        return self.kind in ("number", "milliseconds")
