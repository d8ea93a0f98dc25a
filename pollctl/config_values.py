"""One value from TOML as one typed value: what is accepted, and how the expected and the found are shown."""

from __future__ import annotations

import os
import re
import stat
import types
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pollctl.config_toml import one_line
from pollctl.units import Duration, Secret, Size

LONGEST = Duration(days=36_500)
LARGEST_SECRET = 65_536
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN_CHARACTERS = 60


class RefusedError(ValueError):
    """A value that is wrong for a reason of its own; the text is the whole problem."""


class Decoder:
    """Turns TOML values into types that TOML has no word for (the ``dec_hook`` of msgspec).

    Args:
        base: the folder that relative paths start from.
        environ: where ``{ env = "NAME" }`` looks.
    """

    def __init__(self, base: Path, environ: Mapping[str, str]) -> None:
        self._base = base
        self._environ = environ

    def __call__(self, kind: type, raw: Any) -> Any:
        """*raw* as a *kind*.

        Raises:
            ValueError: it is none; the message says why where the type alone does not.
        """
        if kind is Secret:
            return self._secret(raw)
        if not isinstance(raw, str):
            raise ValueError  # noqa: TRY004 - what msgspec expects of a wrong value, whatever is wrong with it
        if kind is ZoneInfo:
            return _zone(raw)
        if issubclass(kind, PurePath):
            return self._path(raw)
        if issubclass(kind, Duration):
            return _duration(kind, raw)
        if issubclass(kind, Size):
            return kind.parse(raw)
        if hasattr(kind, "parse"):
            return _parsed(kind, raw)
        raise NotImplementedError(
            f"a setting cannot be a {kind.__name__}: give the type a classmethod parse(text)"
        )

    def _path(self, raw: str) -> Path:
        if not raw or "\0" in raw:
            raise ValueError
        if raw.startswith("~"):
            raise RefusedError(f"found {shown(raw)}; ~ is not expanded: write the whole path")
        return self._base / raw

    def _secret(self, raw: Any) -> Secret:
        if isinstance(raw, str):
            return Secret(raw)
        match raw:
            case {"env": str(name)} if len(raw) == 1:
                return self._from_environment(name)
            case {"file": str(name)} if len(raw) == 1:
                return _from_file(self._path(name))
        raise ValueError

    def _from_environment(self, name: str) -> Secret:
        if not _VARIABLE.fullmatch(name):
            # the secret itself in the place of the name is an easy mistake: do not repeat it
            raise RefusedError("env must be the name of an environment variable: letters, digits and _")
        value = self._environ.get(name, "")
        if not value:
            raise RefusedError(f"environment variable {name} is not set, or empty")
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise RefusedError(f"environment variable {name} is not UTF-8")
        return Secret(value)


def _from_file(path: Path) -> Secret:
    name = shown(str(path))
    try:
        # a pipe that nobody writes to must not hold the pass for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise RefusedError(f"secret file {name} is not a regular file")
            content = file.read(LARGEST_SECRET + 1)
    except OSError as error:
        raise RefusedError(f"secret file {name} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_SECRET:
        raise RefusedError(f"secret file {name} is larger than 64 KB")
    try:
        value = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise RefusedError(f"secret file {name} is not UTF-8") from None
    if not value:
        raise RefusedError(f"secret file {name} is empty")
    return Secret(value)


def _duration(kind: type[Duration], raw: str) -> Duration:
    try:
        value = kind.parse(raw)
    except OverflowError:
        value = None
    if value is None or value > LONGEST:
        raise RefusedError(f'found {shown(raw)}; allowed at most "{LONGEST}"')
    return value


def _parsed(kind: Any, raw: str) -> Any:
    try:
        return kind.parse(raw)
    except ValueError as error:  # a type of a plugin: only itself knows what is allowed
        raise RefusedError(f"found text; {error}") from error


def _zone(raw: str) -> ZoneInfo:
    try:
        return ZoneInfo(raw)
    except (KeyError, ValueError, OSError):  # unknown; not a zone's name; a folder of zones
        raise RefusedError(f"found {shown(raw)}; allowed {_NAMES[ZoneInfo]}{_zone_hint(raw)}") from None


def _zone_hint(raw: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    zones = {zone.lower(): zone for zone in sorted(available_timezones())}
    near = get_close_matches(raw.lower(), zones, n=1, cutoff=0.7)
    return f' (did you mean "{zones[near[0]]}"?)' if near else ""


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
_NAMES: dict[Any, str] = {
    ZoneInfo: 'an IANA zone such as "Europe/Amsterdam"',
    Secret: 'text, { env = "NAME" } or { file = "PATH" }',
}


def allowed(kind: Any) -> str:
    """What a *kind* may be, in words."""
    from msgspec import inspect

    return _describe(inspect.type_info(plain(kind)[0]))


def _describe(node: Any) -> str:
    from msgspec import inspect

    match node:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description") or _describe(inner))
        case inspect.CustomType(cls=kind):
            return _describe_custom(kind)
        case inspect.LiteralType() | inspect.EnumType() | inspect.UnionType():
            return _either(_choices(node))
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return f"a list of {_describe(node.item_type)}{_limits(node, 'items')}"
    return f"{_WORDS.get(type(node).__name__, 'a table')}{_limits(node, 'characters')}"


def _choices(node: Any) -> list[str]:
    if hasattr(node, "types"):
        return [_describe(part) for part in node.types]
    return [shown(value) for value in getattr(node, "values", None) or [member.value for member in node.cls]]


_WORDS = {
    "AnyType": "any value",
    "BoolType": "true or false",
    "IntType": "a whole number",
    "FloatType": "a number",
    "StrType": "text",
    "DateTimeType": "a date and time",
    "DateType": "a date",
    "TimeType": "a time of day",
    "TupleType": "a list",
}


def _describe_custom(kind: Any) -> str:
    if issubclass(kind, Duration):
        return f"{_DURATION}{_above_zero(kind, '0s')}"
    if issubclass(kind, Size):
        return f"{_SIZE}{_above_zero(kind, '0B')}"
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
