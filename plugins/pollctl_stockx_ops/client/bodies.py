"""JSON objects of the API, read so that one field that cannot be used hides no other."""

from __future__ import annotations

import json
from typing import Any

_LONGEST_INTEGER = 18  # digits that every reader agrees on


def json_object(body: bytes) -> dict[str, Any]:
    """The object of a body; what in it no table could hold (long integers, keys named twice) stands as text or as a list.

    Raises:
        ValueError: it is not a JSON object.
        RecursionError: it is nested too deep.
    """
    text = body.decode()
    if not text.strip():
        raise ValueError("the body is empty")
    if text.lstrip()[0] == "<":
        raise ValueError("the body is HTML or XML")
    value = json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - what the upstream sent, not what a caller did
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = [found[key], value] if key in found else value
    return found


def _integer(digits: str) -> int | str:
    return digits if len(digits.lstrip("-")) > _LONGEST_INTEGER else int(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
