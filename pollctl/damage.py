"""Rows in which bytes flipped, as those see them who only look: marked, beside all the others, instead of an error for all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl.clock import from_text

if TYPE_CHECKING:
    import sqlite3

MARK = "damaged: "
"""What the text of a column begins with that could not be read; the rest is what stands there, bad bytes escaped."""


def mark_damage(connection: sqlite3.Connection) -> None:
    """Have a connection answer text that is not UTF-8 with a mark. Not for passes: they decide nothing from such rows."""
    connection.text_factory = _text


def json_of(text: Any) -> Any:
    """The value in a JSON column; its text with a mark where it is not JSON."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return _marked(text)


def table_of(text: Any, key: str) -> Any:
    """The object in a JSON column; where it holds something else, one with the marked text under *key*."""
    value = json_of(text)
    return value if value is None or isinstance(value, Mapping) else {key: _marked(text)}


def moment_of(text: Any) -> datetime | None:
    """The moment in a column; None where there is none, or none that can be read."""
    try:
        return from_text(text) if text else None
    except (ValueError, TypeError):
        return None


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return _marked(content.decode(errors="backslashreplace"))


def _marked(text: Any) -> str:
    return str(text) if str(text).startswith(MARK) else f"{MARK}{text}"
