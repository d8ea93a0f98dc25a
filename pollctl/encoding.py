"""Values on their way into JSON, labels and tables: each text in them is masked before it is encoded.

Masking the encoded text instead would break it where a secret is of digits or reads like a key, and would miss a secret
that is spelt otherwise there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Any

from msgspec import Raw, Struct, json
from msgspec.structs import force_setattr

from pollctl import units
from pollctl.redaction import known_secrets, masker

_OURS = re.compile(r"\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\d\.\d{3}Z(?:-[0-9a-f]{8})?")
"""Moments as the database has them, and ids of runs: a secret of digits neither stands in them nor may break them."""
SHORTEST_REFUSED = 8  # characters of a secret
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WITHOUT_TEXT = frozenset({type(None), bool, int, float, datetime})


def encoded(value: Any) -> str:
    """A value as JSON text, secrets masked.

    Raises:
        TypeError, ValueError, NotImplementedError: it cannot be written as JSON.
    """
    return json.encode(masked(value), enc_hook=units.encode).decode()


def masked(value: Any, *, keeps_names: bool = False) -> Any:
    """A value in which each text is masked; nothing of the one that is given changes.

    Numbers, moments, ids of runs and the names of a struct's fields stay as they are.

    Args:
        value: what msgspec can encode: texts, bytes, structs, data classes, mappings, sequences and sets of them.
        keeps_names: whether keys of mappings that are plain lower-case names stay too, as those of columns must.
    """
    return _Masker(masker(), keeps_names=keeps_names).masked(value)


def secret_in(value: Any) -> str:
    """The first secret in a value that is long enough to be refused there, in the spelling that stands there; else empty.

    Shorter ones may be ordinary words: they are only masked where they come out.
    """
    try:
        _Masker(_raise_for_secret, keeps_names=False).masked(value)
    except _FoundError as found:
        return found.spelling
    return ""


class _FoundError(Exception):
    """A secret stands in a value."""

    def __init__(self, spelling: str) -> None:
        super().__init__()
        self.spelling = spelling


def _raise_for_secret(text: str) -> str:
    for secret in known_secrets():
        if len(secret) >= SHORTEST_REFUSED and secret in text:
            raise _FoundError(secret)
    return text


class _Masker:
    """Masks the texts of one value; what holds none to mask is the same object afterwards."""

    def __init__(self, mask_text: Callable[[str], str], *, keeps_names: bool) -> None:
        self._mask_text = mask_text
        self._keeps_names = keeps_names

    def masked(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return value if value[:2].isdigit() and _OURS.fullmatch(value) else self._mask_text(value)
        if kind in _WITHOUT_TEXT:
            return value
        if kind is dict:
            return {self._key(key): self.masked(item) for key, item in value.items()}
        if kind is list or kind is tuple:
            return [self.masked(item) for item in value]
        if hasattr(kind, "__struct_fields__"):
            return self._struct(value)
        return self._rare(value)

    def _key(self, key: Any) -> Any:
        is_kept = not isinstance(key, str) or (self._keeps_names and _NAME.fullmatch(key))
        return key if is_kept else self.masked(key)

    def _struct(self, value: Struct) -> Struct:
        """A struct of the same type, its checks aside: what is masked need not be a valid value any more."""
        twin = value
        for name in value.__struct_fields__:
            before = getattr(value, name)
            after = self.masked(before)
            if after is before:
                continue
            if twin is value:
                twin = copy(value)
            force_setattr(twin, name, after)
        return twin

    def _rare(self, value: Any) -> Any:
        """What comes rarely; of what is none of these (enumerations, units) the text is the code's own."""
        if isinstance(value, str | PurePath) and not isinstance(value, Enum):
            return self._mask_text(str(value))
        if isinstance(value, bytes | bytearray):
            return self._mask_text(bytes(value).decode(errors="surrogateescape")).encode(errors="surrogateescape")
        plain = _plain(value)
        return value if plain is value else self.masked(plain)


def _plain(value: Any) -> Any:
    """What JSON makes of a container of a rare type; any other value itself."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple | AbstractSet):
        return list(value)
    if isinstance(value, Raw):
        return json.decode(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value
