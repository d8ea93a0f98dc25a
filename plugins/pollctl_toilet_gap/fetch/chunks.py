"""How much goes into one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
AT_ONCE = 100
"""Checks, or messages, of one transaction at most."""


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut what there is into transactions."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
