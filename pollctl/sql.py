"""Pieces of SQL that every plugin's tables need alike."""

from __future__ import annotations

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
"""The present moment as ``pollctl.to_text`` writes it, for ``DEFAULT (...)`` of tables that other programs write too."""


def utc(column: str) -> str:
    """A CHECK that a column holds a UTC moment that ``pollctl.from_text`` can read and that can be added to.

    Adding no days makes SQLite normalise 30 February, which then differs from what was written; IS refuses
    what is not a time at all.
    """
    normal = f"strftime('%Y-%m-%dT%H:%M:%S', {column}, '+0 days')"
    return f"{column} BETWEEN '2000' AND '2300' AND {column} LIKE '%Z' AND substr({column}, 1, 19) IS {normal}"
