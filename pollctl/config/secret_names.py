"""Which setting holds a secret, so that a message can name it without showing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from pollctl.redaction import Secret


def setting_with(text: str, settings: Mapping[str, Any]) -> str:
    """The name of the setting in which a secret stands, such as ``plugins.gauge.token``.

    Args:
        text: the secret, in whatever spelling it was found.
        settings: the structs that hold settings, by the name of their tables.
    """
    for table, values in settings.items():
        for name, value in _texts(values, table):
            if value and (text in value or value in text):
                return name
    return "a secret of the plugin"


def _texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """All secrets and addresses below a value, with their names."""
    if isinstance(value, Secret):
        yield name, value.reveal()
    elif isinstance(value, str) and "://" in value:  # a login in it is a secret too
        yield name, value
    for inner, item in _parts(value):
        yield from _texts(item, f"{name}{inner}")


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value consists of, and how each part is called behind its name."""
    if isinstance(value, Struct):
        yield from ((f".{field}", getattr(value, field)) for field in value.__struct_fields__)
    elif isinstance(value, Mapping):
        yield from ((f".{key}", item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{number}]", item) for number, item in enumerate(value))
