"""The columns of a data extension, as ``--create-target`` names them: ``Name:Text(50),Opens:Number``."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

_KINDS = ("Text", "Number", "Date", "Boolean", "EmailAddress", "Phone", "Decimal", "Locale")
_COLUMN = re.compile(
    r"\s*([^:,()]+?)\s*:\s*([A-Za-z]+)\s*(?:\(\s*([0-9]{1,4})\s*(?:,\s*([0-9]{1,2})\s*)?\))?\s*(?:,|$)"
)
_LONGEST_NAME = 128
_LONGEST_TEXT = 4000
_MOST_DIGITS = 38


class Column(Struct, frozen=True, kw_only=True):
    """One column; ``length`` of a Text, or digits of a Decimal with ``scale`` of them after the point."""

    name: str
    kind: str
    length: int | None = None
    scale: int | None = None

    def as_soap(self) -> dict[str, Any]:
        """The same as the SOAP API names it."""
        values = {"Name": self.name, "FieldType": self.kind, "MaxLength": self.length, "Scale": self.scale}
        return {key: value for key, value in values.items() if value is not None}


def read_columns(text: str) -> list[Column]:
    """The columns that *text* names, such as ``Name:Text(50),Opens:Number``.

    Raises:
        ValueError: they cannot be read, with what would work.
    """
    columns: list[Column] = []
    offset = 0
    while offset < len(text):
        match = _COLUMN.match(text, offset)
        if match is None:
            raise ValueError(
                f"{text[offset:]!r} is not a valid column; write Name:Text(50),Opens:Number,Rate:Decimal(18,2)"
            )
        columns.append(_column(*match.groups()))
        offset = match.end()
    if not columns or text.rstrip().endswith(","):
        raise ValueError("a column is missing; write Name:Text(50),Opens:Number")
    names = [column.name.casefold() for column in columns]
    twice = [column.name for column in columns if names.count(column.name.casefold()) > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]!r}")
    return columns


def _column(name: str, kind: str, length: str | None, scale: str | None) -> Column:
    kind = {one.casefold(): one for one in _KINDS}.get(kind.casefold(), kind)
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is not a valid column type; allowed: {', '.join(_KINDS)}")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{name!r} is not a valid column name: at most {_LONGEST_NAME} printable characters")
    if kind == "Decimal":
        return _decimal(name, int(length or 18), int(scale or 0))
    if scale is not None or (length is not None and kind != "Text"):
        raise ValueError(f"{name}: a {kind} takes no {'second number' if kind == 'Text' else 'length'}")
    if length is not None and not 1 <= int(length) <= _LONGEST_TEXT:
        raise ValueError(f"{name}: a Text is 1 to {_LONGEST_TEXT} characters long")
    return Column(name=name, kind=kind, length=int(length) if length else None)


def _decimal(name: str, digits: int, scale: int) -> Column:
    if not 1 <= digits <= _MOST_DIGITS or scale > digits:
        allowed = f"at most {_MOST_DIGITS} digits, not more after the point"
        raise ValueError(f"{name}: Decimal({digits},{scale}) is not a valid size; {allowed}")
    return Column(name=name, kind="Decimal", length=digits, scale=scale)
