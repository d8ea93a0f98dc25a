"""Values made up from a type, to be tried out: whatever a recording must keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import inspect

from pollctl.api.pace import Pace
from pollctl.redaction import Secret
from pollctl.units import Duration, HttpUrl, Size

_DEEPEST = 4  # types that hold themselves
_AT = datetime(2026, 3, 2, 9, 0, 0, 123_000, tzinfo=UTC)
_PLAIN: Mapping[type, list[Any]] = {
    inspect.NoneType: [None],
    inspect.BoolType: [True],
    inspect.BytesType: [b"word"],
    inspect.ByteArrayType: [bytearray(b"word")],
    inspect.DateTimeType: [_AT],
    inspect.DateType: [date(2026, 3, 2)],
    inspect.TimeType: [time(9, 0, tzinfo=UTC)],
    inspect.TimeDeltaType: [timedelta(seconds=90)],
    inspect.UUIDType: [UUID(int=1)],
    inspect.DecimalType: [Decimal("1.5")],
    inspect.AnyType: ["word"],
}
_OURS: Mapping[type, Callable[[type], Any]] = {
    Duration: lambda kind: kind(seconds=90),
    Size: lambda kind: kind(1024),
    Pace: lambda kind: kind("15m"),
    HttpUrl: lambda kind: kind("http://127.0.0.1/"),
    Secret: lambda kind: kind(
        "***"
    ),  # as it comes back from a recording: an empty one would come back as one that is not
    ZoneInfo: lambda kind: kind("UTC"),
    PurePath: lambda kind: kind("word"),
}


def examples(kind: inspect.Type, depth: int = 0) -> list[Any]:
    """Some values of a type, each of its alternatives once; none where its bounds cannot be met by guessing."""
    if type(kind) in _PLAIN:
        return _PLAIN[type(kind)]
    if depth > _DEEPEST:
        return []
    return list(_made(kind, depth + 1))


def own_type(kind: type) -> bool:
    """Whether a type that msgspec does not know is one that recordings keep all the same."""
    return hasattr(kind, "parse") or any(issubclass(kind, one) for one in _OURS)


def _made(kind: inspect.Type, depth: int) -> Iterator[Any]:  # noqa: C901 - a ladder
    match kind:
        case inspect.Metadata(type=inner):
            yield from examples(inner, depth)
        case inspect.StrType(pattern=None):
            yield from _sized("word", kind.min_length, kind.max_length)
        case inspect.IntType() | inspect.FloatType():
            yield from _number(kind)
        case inspect.LiteralType(values=values) | inspect.EnumType(cls=values):
            yield from values
        case inspect.CustomType(cls=custom):
            yield from (make(custom) for own, make in _OURS.items() if issubclass(custom, own))
        case inspect.UnionType(types=types):
            for one in types:
                yield from examples(one, depth)
        case inspect.StructType(cls=struct):
            yield from struct_examples(struct, kind, depth)
        case _:
            yield from _containers(kind, depth)


def struct_examples(struct: Any, kind: inspect.StructType, depth: int = 0) -> Iterator[Any]:
    """Structs of a type: one, and then one for each further example of each field.

    One that has all fields may be against a rule over several of them: then it is one that has what must be there.
    """
    choices = {field.name: examples(field.type, depth) for field in kind.fields}
    if not all(choices[field.name] for field in kind.fields if field.required):
        return
    first = {name: values[0] for name, values in choices.items() if values}
    if not _allowed(struct, first):
        first = {field.name: first[field.name] for field in kind.fields if field.required}
    further = ({**first, name: value} for name, values in choices.items() for value in values if name not in first)
    others = ({**first, name: value} for name, values in choices.items() for value in values[1:] if name in first)
    for keys in (first, *further, *others):
        yield from _allowed(struct, keys)


def _allowed(struct: Any, keys: Mapping[str, Any]) -> list[Any]:
    """A struct with these keys; none if a rule over several fields forbids that."""
    try:
        return [struct(**keys)]
    except (ValueError, TypeError):
        return []


def _containers(kind: inspect.Type, depth: int) -> Iterator[Any]:
    match kind:
        case inspect.ListType(item_type=item):
            yield from _of_items(list, kind, item, depth)
        case inspect.VarTupleType(item_type=item):
            yield from _of_items(tuple, kind, item, depth)
        case inspect.SetType(item_type=item):
            yield from _of_items(set, kind, item, depth)
        case inspect.FrozenSetType(item_type=item):
            yield from _of_items(frozenset, kind, item, depth)
        case inspect.TupleType(item_types=items):
            parts = [examples(one, depth) for one in items]
            yield from [tuple(values[0] for values in parts)] if all(parts) else []
        case inspect.DictType(key_type=key, value_type=value):
            keys = examples(key, depth)
            yield from ({keys[0]: one} for one in examples(value, depth) if keys)


def _of_items(make: Callable[[Any], Any], kind: Any, item: inspect.Type, depth: int) -> Iterator[Any]:
    if (kind.min_length or 0) <= 1:
        yield from (make([one]) for one in examples(item, depth))


def _sized(word: str, shortest: int | None, longest: int | None) -> Iterator[str]:
    yield word.ljust(shortest or 0, "x")[: len(word) if longest is None else longest]


def _number(kind: inspect.IntType | inspect.FloatType) -> Iterator[Any]:
    low = kind.ge if kind.ge is not None else (kind.gt + 1 if kind.gt is not None else None)
    high = kind.le if kind.le is not None else (kind.lt - 1 if kind.lt is not None else None)
    number = 1 if (low or 0) <= 1 and (high is None or high >= 1) else (low if low is not None else high)
    value = number if isinstance(kind, inspect.IntType) else float(number or 0)
    try:
        yield msgspec.convert(value, _as_type(kind))
    except (msgspec.ValidationError, TypeError):
        return


def _as_type(kind: inspect.IntType | inspect.FloatType) -> Any:
    from typing import Annotated

    bounds = {name: getattr(kind, name) for name in ("gt", "ge", "lt", "le", "multiple_of")}
    plain = int if isinstance(kind, inspect.IntType) else float
    return Annotated[plain, msgspec.Meta(**{name: one for name, one in bounds.items() if one is not None})]
