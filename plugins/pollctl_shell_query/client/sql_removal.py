"""Text of the upstream without the SQL text, which it likes to repeat and which is kept nowhere but in its run."""

from __future__ import annotations

import re

from pollctl import shorten

LONGEST_MESSAGE = 1000
_REMOVED = "[the SQL text]"
_SHORTEST_PIECE = 30
"""Characters in a row that come from the SQL text and not by chance: longer than most names of columns."""
_BEGINNING = re.compile(r"\bselect\b|/\*|--", re.IGNORECASE)


def without_sql(text: str, sql: str | None) -> str:
    """Text of the upstream, at most so long, without the SQL text, whole or in pieces.

    Where the SQL is not known any more, everything from what looks like its beginning is left out.
    """
    if sql and (line := _one_line(sql)):
        return _without_pieces(shorten(_one_line(text).replace(line, _REMOVED), LONGEST_MESSAGE), line)
    beginning = _BEGINNING.search(text)
    return shorten(f"{text[: beginning.start()]}{_REMOVED}" if beginning else text, LONGEST_MESSAGE)


def _one_line(text: str) -> str:
    return shorten(text, len(text))


def _without_pieces(text: str, sql: str) -> str:
    kept, start = "", 0
    while start < len(text):
        end = start + _SHORTEST_PIECE
        if end > len(text) or text[start:end] not in sql:
            kept, start = kept + text[start], start + 1
            continue
        while end < len(text) and text[start : end + 1] in sql:
            end += 1
        kept, start = kept + _REMOVED, end
    return kept
