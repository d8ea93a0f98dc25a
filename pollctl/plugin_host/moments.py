"""Moments without a zone among the values of a plugin: nobody could say later when they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, time, timedelta
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Struct
from msgspec.structs import fields

_WITHOUT = (str, int, float, bytes, timedelta, Enum, time, type(None))


def naive_in(value: Any) -> Iterator[tuple[str, datetime]]:
    """The moments in a value that name no zone, each with the way to it, such as ``Reading.days[0].at``.

    Only fields whose types may hold a moment are looked at.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            yield "", value
        return
    for way, item in _parts(value):
        for further, moment in naive_in(item):
            yield f"{way}{further}", moment


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value consists of, and how each part is called behind its name."""
    if isinstance(value, Struct):
        yield from ((f".{name}", getattr(value, name)) for name in fields_with_moments(type(value)))
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes):
        yield from ((f"[{number}]", item) for number, item in enumerate(value))


@cache
def fields_with_moments(struct: type[Struct]) -> tuple[str, ...]:
    """The fields of a struct that may hold a moment; known from then on."""
    return tuple(field.name for field in fields(struct) if _may_hold(field.type, ()))


def _may_hold(kind: Any, seen: tuple[Any, ...]) -> bool:
    """Whether a value of a type may hold a moment."""
    if kind in seen:
        return False
    origin = get_origin(kind)
    if origin is Literal:
        return False
    if arguments := get_args(kind):
        arguments = arguments[:1] if origin is Annotated else arguments
        return any(_may_hold(one, seen) for one in arguments if one is not Ellipsis)
    if not isinstance(kind, type):
        return True
    if issubclass(kind, Struct):
        return any(_may_hold(field.type, (*seen, kind)) for field in fields(kind))
    return not issubclass(kind, _WITHOUT)
