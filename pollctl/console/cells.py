"""What stands in one cell of a listing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pollctl.api.listing import Column, Kind, Standing, State
from pollctl.clock import to_text
from pollctl.console import words
from pollctl.console.moments import Moments, read
from pollctl.redaction import one_line

NOTHING = "-"
STYLES = {
    "ok": "green",
    "delivered": "green",
    "pass": "green",
    "ready": "green",
    "COMPLETED": "green",
    "yes": "green",
    "warn": "yellow",
    "partial": "yellow",
    "interrupted": "yellow",
    "unknown": "yellow",
    "unreliable": "yellow",
    "PARTIAL": "yellow",
    "running": "cyan",
    "failed": "red",
    "crashed": "red",
    "dead": "red",
    "broken": "red",
    "offline": "red",
    "offline_alerted": "red",
    "fail": "red",
    "no": "red",
    "FAIL": "red",
    "FAILED": "red",
    "ALARM": "red",
}
"""Colours of states; each is a word that says the same without its colour."""
_LEVELS: Mapping[str, Standing] = {"green": "ok", "yellow": "warn", "red": "fail", "cyan": "info"}
_NUMBERS: Mapping[Kind, Callable[[float], str]] = {
    "milliseconds": words.took,
    "span": words.lasted,
    "share": words.share,
}
_STATES = ("outcome", "status", "state", "phase", "result", "verdict", "level")


def plain(value: Any) -> str:
    """A value as programs that read a table get it: moments whole, nothing shortened."""
    if value is None or value in ("", {}, []):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, datetime):
        return to_text(value)
    return words.exact(value) if isinstance(value, float) else one_line(_text(value))


def _text(value: Any) -> str:
    return value.word if isinstance(value, State) else str(value)


def shown(value: Any, kind: Kind, moments: Moments) -> str:
    """A value as a person reads it in a column of this kind."""
    if value is None or value in ("", {}, []) or isinstance(value, bool):
        return plain(value)
    if kind in ("moment", "age"):
        return one_line((moments.short if kind == "moment" else moments.age)(value))
    if kind in _NUMBERS and (number := _seconds(value)) is not None:
        return _NUMBERS[kind](number)
    if isinstance(value, float):
        return words.number(value)
    return plain(value)


def standing(value: Any) -> Standing:
    """The level of a state: its own, or that of its word."""
    return value.level if isinstance(value, State) else _LEVELS.get(STYLES.get(str(value), ""), "none")


def _seconds(value: Any) -> float | None:
    """A number, or a length of time in seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value if isinstance(value, int | float) else None


def style(text: str, kind: Kind) -> str:
    """The colour of a cell; only states have one."""
    return STYLES.get(text.strip(), "") if kind == "state" else ""


def kind_of(key: str, values: list[Any]) -> Kind:
    """What a column seems to hold, where its author does not say."""
    known = [value for value in values if value is not None]
    if key == "id" or key.endswith("_id"):
        return "id"
    if known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return "number"
    if known and all(read(value) for value in known):
        return "moment"
    return "state" if key in _STATES else "text"


def guessed(rows: list[Mapping[str, Any]]) -> list[Column]:
    """Columns for rows whose author names none: the first stays, the last go first."""
    return [Column(key, kind=kind_of(key, [row[key] for row in rows]), drop=place) for place, key in enumerate(rows[0])]
