"""JSON from upstreams that cannot be trusted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

DEEPEST = 64
LARGEST = 2**63 - 1
_PIECE = 1024**2
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_LONG_INTEGER = re.compile(rb"(?<![0-9.eE+-])-?[0-9]{19,}(?![0-9.eE])")
_DIGITS_TO_0 = bytes(ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256))
_LONG = b"0" * 19  # 2**63 has as many digits
_BUT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def strict_json(body: bytes, type: Any = Any, *, unique_keys: bool = True) -> Any:  # noqa: A002 - msgspec's word
    """Read a JSON body, refusing what would only fail later: in ``apply``, in SQLite or when it is recorded.

    Refused are NaN, Infinity, 1e999, integers beyond 64 bits with sign, invalid UTF-8, lone surrogates, NUL, nesting
    deeper than 64, anything that is not of *type*, and objects that name a key twice.

    Args:
        body: the whole body.
        type: what it must be, as for ``msgspec.json.decode``; with a struct of the few fields needed, 20 MB take 20 ms.
        unique_keys: False leaves out the search for keys named twice (the last wins), which costs up to 30 ms per MB.

    Raises:
        ValueError: a short reason.
    """
    try:
        value = msgspec.json.decode(body, type=type)
    except RecursionError:
        raise ValueError("not acceptable JSON: nested too deep") from None
    except ValueError as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise ValueError(f"not acceptable JSON: {_reason(body, error)}") from error
    _refuse_extremes(body)
    if unique_keys:
        _refuse_twins(body)
    return value


def _reason(body: bytes, error: ValueError) -> str:
    if not body.strip():
        return "the body is empty"
    if body.lstrip()[:1] == b"<":
        return "the body is HTML or XML"
    return "invalid UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _refuse_extremes(body: bytes) -> None:
    """Refuse what msgspec lets pass, by the bytes, known to be JSON: a tree of 20 MB would take 100 MB."""
    if b"\\u0000" in body and _NUL.search(body):
        raise ValueError("not acceptable JSON: a text holds NUL")
    if _has_long_number(body) or _is_deep(body):
        bare = _TEXT.sub(b"", body)
        if any(not -LARGEST - 1 <= int(number[0]) <= LARGEST for number in _LONG_INTEGER.finditer(bare)):
            raise ValueError("not acceptable JSON: an integer beyond 64 bits")
        if _is_deep(bare):
            raise ValueError(f"not acceptable JSON: nested deeper than {DEEPEST}")


def _has_long_number(body: bytes) -> bool:
    pieces = (body[start : start + _PIECE + len(_LONG)] for start in range(0, len(body), _PIECE))
    return any(_LONG in piece.translate(_DIGITS_TO_0) for piece in pieces)


def _is_deep(body: bytes) -> bool:
    """Whether brackets are nested deeper than allowed, or do not match because they stand in texts."""
    pieces = (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
    brackets = b"".join(piece.translate(None, _BUT_BRACKETS) for piece in pieces)
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def _refuse_twins(body: bytes) -> None:
    import json

    json.loads(body, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("not acceptable JSON: an object names a key twice")
