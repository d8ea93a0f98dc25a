"""How many rows a listing shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import click

SHOWN = 100
"""Rows of a table where nobody says how many."""
_Row = TypeVar("_Row")

limit_option = click.option(
    "--limit",
    type=click.IntRange(0),
    metavar="N",
    help=f"How many rows at most, 0 for all. Default: {SHOWN} in a table, all in JSON.",
)
"""The option ``--limit`` of a listing that may grow long; ``PluginContext.show`` takes what it holds."""


def within(rows: Sequence[_Row], limit: int | None, *, as_json: bool) -> tuple[Sequence[_Row], int]:
    """The rows that are shown, and how many are left out.

    Args:
        rows: all of them.
        limit: how many at most; 0 for all, None for so many as a table or JSON shows by itself.
        as_json: whether they go out as JSON.
    """
    most = (0 if as_json else SHOWN) if limit is None else limit
    return (rows[:most], max(0, len(rows) - most)) if most else (rows[:], 0)
