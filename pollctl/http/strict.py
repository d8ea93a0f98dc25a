"""JSON from upstreams that cannot be trusted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

DEEPEST = 64
LARGEST = 2**63 - 1
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_BUT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def strict_json(body: bytes, type: Any = Any, *, unique_keys: bool = True) -> Any:  # noqa: A002 - msgspec's word
    """Read a JSON body, refusing what would only fail later: in ``apply``, in SQLite or when it is recorded.

    Refused are NaN, Infinity, 1e999, integers beyond 64 bits with sign, invalid UTF-8, lone surrogates, NUL, nesting
    deeper than 64, anything that is not of *type*, and objects that name a key twice.

    Args:
        body: the whole body.
        type: what it must be, as for ``msgspec.json.decode``; with a struct of the few fields needed, 20 MB take 20 ms.
        unique_keys: False leaves out the search for keys named twice (the last wins), which costs 25 ms per MB.

    Raises:
        ValueError: a short reason.
    """
    try:
        value = msgspec.json.decode(body, type=type)
    except RecursionError:
        raise ValueError("not acceptable JSON: nested too deep") from None
    except ValueError as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise ValueError(f"not acceptable JSON: {_reason(body, error)}") from error
    if unique_keys or _is_suspicious(body):
        _inspect(body, unique_keys=unique_keys)
    return value


def _reason(body: bytes, error: ValueError) -> str:
    if not body.strip():
        return "the body is empty"
    if body.lstrip()[:1] == b"<":
        return "the body is HTML or XML"
    return "invalid UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _is_suspicious(body: bytes) -> bool:
    """Whether the bytes may hold what msgspec lets pass: long integers, NUL, deep nesting."""
    if b"\\u0000" in body or _LONG_NUMBER.search(body):
        return True
    brackets = body.translate(None, _BUT_BRACKETS)
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)  # deep, or brackets within text


def _inspect(body: bytes, *, unique_keys: bool) -> None:
    import json

    try:
        tree = json.loads(body, parse_int=_int, object_pairs_hook=_object if unique_keys else None)
    except RecursionError:
        raise ValueError("not acceptable JSON: nested too deep") from None
    level, depth = [tree], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"not acceptable JSON: nested deeper than {DEEPEST}")
        if any(isinstance(value, str) and "\0" in value for value in level):
            raise ValueError("not acceptable JSON: a text holds NUL")
        level, depth = [child for value in level for child in _children(value)], depth + 1


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _int(digits: str) -> int:
    if len(digits) > 20 or not -LARGEST - 1 <= int(digits) <= LARGEST:  # noqa: PLR2004 - digits and sign of 2**63
        raise ValueError("not acceptable JSON: an integer beyond 64 bits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("not acceptable JSON: an object names a key twice")
    return found
