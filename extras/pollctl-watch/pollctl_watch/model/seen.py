"""What is read of a page, and remembered of it."""

from __future__ import annotations

from msgspec import Struct


class Number(Struct, frozen=True, array_like=True):
    """A number as it stands in a text, with its unit, such as ``€``; empty where it has none."""

    value: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.value:.15g} {self.unit}".rstrip()


class Seen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page at one look.

    Attributes:
        text: what is compared, line by line.
        is_there: whether the selector matched anything.
        number: the first one in the text, where the condition asks for one.
        status: what the upstream answered with.
        was_true: kept only: whether the condition held, so that it is told when it does again.
        told: kept only: the number that was told last, or that of the first look.
    """

    text: str = ""
    is_there: bool = True
    number: Number | None = None
    status: int = 200
    was_true: bool = False
    told: Number | None = None
