"""Values as JSON text that a program reads, secrets masked."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import Any

from pollctl.clock import to_text


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """A value as one JSON document, secrets masked; without *indent* on one line."""
    import json

    from pollctl.encoding import masked

    return json.dumps(as_plain(masked(value, keeps_names=True)), indent=indent)


def as_plain(value: Any) -> Any:
    """A value as JSON has it: structs and mappings as objects, moments as database text, no NaN."""
    import msgspec

    from pollctl import units

    return _jsonable(msgspec.to_builtins(value, builtin_types=(datetime,), str_keys=True, enc_hook=units.encode))


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, datetime):
        return to_text(value)
    return None if isinstance(value, float) and not isfinite(value) else value
