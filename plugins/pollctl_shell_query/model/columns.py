"""The columns of a data extension, as ``--create-target`` names them: ``Name:Text(50),Opens:Number``."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

_KINDS = ("Text", "Number", "Date", "Boolean", "EmailAddress", "Phone", "Decimal", "Locale")
_FIELD = re.compile(r"\s*([^:,()]+?)\s*:\s*([A-Za-z]+)\s*(?:\(\s*([0-9]{1,4})\s*(?:,\s*([0-9]{1,2})\s*)?\))?\s*(?:,|$)")
_LONGEST_NAME = 128
_LONGEST_TEXT = 4000
_MOST_DIGITS = 38


class Field(Struct, frozen=True, kw_only=True):
    """One column; ``length`` of a Text, or digits of a Decimal with ``scale`` of them after the point."""

    name: str
    kind: str
    length: int | None = None
    scale: int | None = None

    def as_soap(self) -> dict[str, Any]:
        """The same in the words of the SOAP API."""
        said = {"Name": self.name, "FieldType": self.kind, "MaxLength": self.length, "Scale": self.scale}
        return {key: value for key, value in said.items() if value is not None}


def read_fields(words: str) -> list[Field]:
    """The columns that *words* name.

    Raises:
        ValueError: they cannot be read, with what would work.
    """
    fields: list[Field] = []
    place = 0
    while place < len(words):
        match = _FIELD.match(words, place)
        if match is None:
            raise ValueError(f"{words[place:]!r} is no column; write Name:Text(50),Opens:Number,Rate:Decimal(18,2)")
        fields.append(_field(*match.groups()))
        place = match.end()
    if not fields or words.rstrip().endswith(","):
        raise ValueError("a column is missing; write Name:Text(50),Opens:Number")
    names = [field.name.casefold() for field in fields]
    twice = [field.name for field in fields if names.count(field.name.casefold()) > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]!r}")
    return fields


def _field(name: str, kind: str, length: str | None, scale: str | None) -> Field:
    known = {word.casefold(): word for word in _KINDS}
    kind = known.get(kind.casefold(), kind)
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is no type of column; allowed: {', '.join(_KINDS)}")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{name!r} is no name of a column: at most {_LONGEST_NAME} printable characters")
    if kind == "Decimal":
        digits, after = int(length or 18), int(scale or 0)
        if not 1 <= digits <= _MOST_DIGITS or after > digits:
            raise ValueError(
                f"{name}: Decimal({digits},{after}) is none; at most {_MOST_DIGITS} digits, not more after the point"
            )
        return Field(name=name, kind=kind, length=digits, scale=after)
    if scale is not None or (length is not None and kind != "Text"):
        raise ValueError(f"{name}: a {kind} takes no {'second number' if kind == 'Text' else 'length'}")
    if length is not None and not 1 <= int(length) <= _LONGEST_TEXT:
        raise ValueError(f"{name}: a Text is 1 to {_LONGEST_TEXT} characters long")
    return Field(name=name, kind=kind, length=int(length) if length else None)
