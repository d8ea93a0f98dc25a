"""What is read of a page, and remembered of it."""

from __future__ import annotations

from msgspec import Struct


class Number(Struct, frozen=True, array_like=True):
    """A number as it stands in a text, with its unit, such as ``€``; empty where it has none."""

    value: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.value:.15g} {self.unit}".rstrip()


class Page(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page as it was read.

    Attributes:
        kind: as what it was read, such as ``html``.
        size: in bytes.
        packed: the page itself, compressed; empty where it is too long to go along with a message.
    """

    kind: str
    size: int
    packed: bytes = b""


class Seen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page at one look.

    Attributes:
        text: what is compared, line by line.
        is_there: whether the selector matched anything.
        number: the first one in the text, where the condition asks for one.
        status: what the upstream answered with.
        page: all of it, where it is to go along with messages.
    """

    text: str = ""
    is_there: bool = True
    number: Number | None = None
    status: int = 200
    page: Page | None = None


class Remembered(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a look until the next.

    Attributes:
        text, number: as they were seen.
        was_true: whether the condition held, so that it is told when it does again.
        told: the number that was told last, or that of the first look.
    """

    text: str = ""
    number: Number | None = None
    was_true: bool = False
    told: Number | None = None
