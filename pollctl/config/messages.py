"""The words of messages: what was found, and what is allowed."""

from __future__ import annotations

import types
from datetime import date, datetime, time
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from msgspec import inspect

from pollctl.redaction import Secret, one_line
from pollctl.units import Duration, HttpUrl, Size

ZONE = 'an IANA zone such as "Europe/Amsterdam"'
_SHOWN_CHARACTERS = 60


def plain(kind: Any) -> tuple[Any, bool]:
    """A type without ``| None``, and whether it had one: TOML has no null."""
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    rest = [part for part in get_args(kind) if part is not type(None)]
    return (rest[0] if len(rest) == 1 else kind), len(rest) < len(get_args(kind))


def bare(kind: Any) -> Any:
    """A type without ``| None`` and without its limits."""
    kind = plain(kind)[0]
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def shown(raw: Any) -> str:
    """A value as TOML writes it, on one line, cut to a readable length."""
    if isinstance(raw, bool):
        return str(raw).lower()
    text = str(raw) if len(str(raw)) <= _SHOWN_CHARACTERS else f"{str(raw)[:_SHOWN_CHARACTERS]}..."
    if not isinstance(raw, str):
        return one_line(text)
    return '"' + one_line(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def found(raw: Any, kind: Any) -> str:
    """What was found where a *kind* belongs: the value where it can be no secret, else only what it is."""
    if isinstance(raw, str | int | float) and _is_public(kind):
        return shown(raw)
    return _FOUND[type(raw)]


def _is_public(kind: Any) -> bool:
    kind = bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return all(_is_public(part) for part in get_args(kind))
    public = (str, int, float, Duration, ZoneInfo, PurePath, Enum)
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, public))


_FOUND = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "a list",
    tuple: "a list",
    datetime: "a date and time",
    date: "a date",
    time: "a time of day",
}
_DURATION = 'a duration such as "500ms", "20s", "15m", "2h" or "1d"'
_SIZE = 'a size such as "64KB" or "32MB"'
_URL = 'an http or https address such as "https://api.example.net"'
_NAMES: dict[Any, str] = {
    ZoneInfo: ZONE,
    Secret: 'text, { env = "NAME" } or { file = "PATH" }',
}


def allowed(kind: Any) -> str:
    """What a *kind* may be, in words."""
    return _describe(inspect.type_info(plain(kind)[0]))


def _describe(node: Any) -> str:
    match node:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description") or _describe(inner))
        case inspect.CustomType(cls=kind):
            return _describe_custom(kind)
        case inspect.LiteralType() | inspect.EnumType() | inspect.UnionType():
            return _either(_choices(node))
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return f"a list of {_describe(node.item_type)}{_limits(node, 'items')}"
    name = type(node).__name__.removesuffix("Type")
    return f"{_WORDS.get(name, f'a {name}')}{_limits(node, 'characters')}"


def _choices(node: Any) -> list[str]:
    if hasattr(node, "types"):
        return [_describe(part) for part in node.types]
    return [shown(value) for value in getattr(node, "values", None) or [member.value for member in node.cls]]


_WORDS = {
    "Bool": "true or false",
    "Int": "a whole number",
    "Float": "a number",
    "Str": "text",
    "DateTime": "a date and time",
    "Date": "a date",
    "Time": "a time of day",
    "Tuple": "a list",
    "Dict": "a table",
    "Struct": "a table",
    "Dataclass": "a table",
}


def _describe_custom(kind: Any) -> str:
    if issubclass(kind, Duration):
        return f"{_DURATION}{_above_zero(kind, '0s')}"
    if issubclass(kind, Size):
        return f"{_SIZE}{_above_zero(kind, '0B')}"
    if issubclass(kind, HttpUrl):
        return _URL
    return "a path" if issubclass(kind, PurePath) else _NAMES.get(kind, f"a {kind.__name__}")


def _above_zero(kind: Any, zero: str) -> str:
    try:
        kind.parse(zero)
    except ValueError:
        return f', more than "{zero}"'
    return ""


def _limits(node: Any, unit: str) -> str:
    words = (
        ("ge", "at least {}"), ("gt", "more than {}"), ("le", "at most {}"), ("lt", "less than {}"),
        ("multiple_of", "a multiple of {}"), ("pattern", "matching {}"),
        ("min_length", f"at least {{}} {unit}"), ("max_length", f"at most {{}} {unit}"),
    )  # fmt: skip
    limits = ((text, getattr(node, name, None)) for name, text in words)
    return "".join(f", {text.format(limit)}" for text, limit in limits if limit is not None)


def _either(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
