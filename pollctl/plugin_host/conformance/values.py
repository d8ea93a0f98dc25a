"""Whether the values of a plugin can be recorded and read back, and whether its defaults are values of their own types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect
from msgspec.structs import fields

from pollctl.errors import text_of
from pollctl.plugin_host.blame import class_place
from pollctl.plugin_host.conformance.examples import examples, own_type, struct_examples
from pollctl.plugin_host.conformance.recordings import as_json, read_back
from pollctl.plugin_host.loader import Plugin

ROLES = ("settings", "batch", "state", "decision")
_RECORDED = "numbers, text, datetimes, msgspec structs, Duration, Pace, Size and HttpUrl"
_MISFITS = (msgspec.MsgspecError, ValueError, TypeError, NotImplementedError, RecursionError)


def value_problems(plugin: Plugin) -> list[str]:
    """Every field of the plugin's settings and values that no recording keeps, or whose default is not allowed, one line each."""
    kinds = [getattr(plugin.poller, role) for role in ROLES]
    found: dict[str, None] = {}
    for kind in kinds:
        for struct in structs_in(inspect.type_info(kind)):
            found |= dict.fromkeys(_of_struct(struct))
    return list(found)


def structs_in(kind: inspect.Type) -> list[inspect.StructType]:
    """Every struct that values of a type are made of."""
    found: dict[type, inspect.StructType] = {}
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if isinstance(one, inspect.StructType):
            if one.cls in found:
                continue
            found[one.cls] = one
        waiting += _inner(one)
    return list(found.values())


def _inner(kind: inspect.Type) -> list[inspect.Type]:
    """The types that a type is made of."""
    if isinstance(kind, inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType):
        return [field.type for field in kind.fields]
    names = ("type", "types", "item_type", "item_types", "key_type", "value_type")
    parts: list[Any] = [getattr(kind, name) for name in names if hasattr(kind, name)]
    return [one for part in parts for one in (part if isinstance(part, Sequence) else [part])]


def _of_struct(kind: inspect.StructType) -> Iterator[str]:
    declared = {field.name: field.type for field in fields(kind.cls)}
    name, found = kind.cls.__name__, False
    for field in kind.fields:
        for why in (*_of_field(field, declared[field.name]), *_of_default(field, declared[field.name])):
            found = True
            yield f"{name}.{field.name} ({class_place(kind.cls, field.name)}) {why}"
    for value in [] if found else struct_examples(kind.cls, kind):
        if why := _lost(value, kind.cls):
            yield f"{name} ({class_place(kind.cls)}) cannot be recorded: {why}"
            return


def _of_field(field: inspect.Field, declared: Any) -> Iterator[str]:
    for stranger in _strangers(field.type):
        yield f"cannot be recorded: {stranger.__name__} is none of {_RECORDED}"
        return
    for value in examples(field.type):
        if why := _lost(value, declared):
            yield f"cannot be recorded: {why}"
            return


def _strangers(kind: inspect.Type) -> Iterator[type]:
    if isinstance(kind, inspect.CustomType) and not own_type(kind.cls):
        yield kind.cls
    for inner in [] if isinstance(kind, inspect.StructType) else _inner(kind):
        yield from _strangers(inner)


def _of_default(field: inspect.Field, declared: Any) -> Iterator[str]:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        try:
            default = field.default_factory()
        except Exception as error:  # noqa: BLE001 - it is the plugin's
            yield f"has a default that raises {type(error).__name__}: {text_of(error)}"
            return
    if default is msgspec.NODEFAULT or isinstance(default, msgspec.UnsetType):
        return
    try:
        read_back(as_json(default), declared)
    except _MISFITS as error:
        yield f"has the default {default!r}, which it does not allow: {text_of(error)}"


def _lost(value: Any, kind: Any) -> str:
    """Why a value does not come back from a recording as it was; empty when it does."""
    try:
        text = as_json(value)
        again = as_json(read_back(text, kind))
    except _MISFITS as error:
        return f"{type(value).__name__}: {text_of(error)}"
    return "" if again == text else f"{text.decode()} comes back as {again.decode()}"
