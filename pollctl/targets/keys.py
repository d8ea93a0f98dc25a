"""The keys of a target, as people type them and as they are kept of one that was added."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, TypeVar, get_args

import msgspec
from msgspec.structs import replace

from pollctl import Secret
from pollctl.targets.target import Target, default_of

T = TypeVar("T", bound=Target)
PEOPLE = "notify"
"""The key that names people: a secret that is kept all the same, in a table of its own."""


def kept(target: Target) -> str:
    """The keys of a target as they are kept, as JSON: those that are not secret.

    Raises:
        ValueError: one of them holds a secret all the same.
    """
    plain = {key: getattr(target, name) for name, key in _plain_keys(type(target))}
    return msgspec.json.encode(plain, enc_hook=_text_of).decode()


@cache
def _plain_keys(kind: type[Target]) -> list[tuple[str, str]]:
    """The names of fields that are not secret, as a program and as settings spell them."""
    fields = [field for field in msgspec.structs.fields(kind) if not is_for_settings(kind, field)]
    return [(field.name, field.encode_name) for field in fields if field.name != PEOPLE]


def is_for_settings(kind: type[Target], field: msgspec.structs.FieldInfo) -> bool:
    """Whether a key stands in the settings alone: what is secret, people aside, and what is of no use without it."""
    return (is_secret(field.type) and field.name != PEOPLE) or field.name in kind.SETTINGS_ONLY


def check_keys(target: Target) -> None:
    """Look whether a target can be kept in the database.

    Raises:
        ValueError: it has keys that stand in the settings alone, or a login in its address.
    """
    kind = type(target)
    private = [field for field in msgspec.structs.fields(kind) if is_for_settings(kind, field)]
    given = [field.encode_name for field in private if getattr(target, field.name) != default_of(field)]
    if given:
        verb = "belongs" if len(given) == 1 else "belong"
        raise ValueError(f"{' and '.join(given)} of {target.title} {verb} in the settings, not in the database")
    if target.address != target.url:
        raise ValueError("an address with a login in it belongs in the settings, not in the database")


def _text_of(value: Any) -> str:
    if isinstance(value, Secret):
        raise ValueError("a key holds secrets among other things: it belongs in the settings")  # noqa: TRY004
    return str(value)


def is_secret(kind: Any) -> bool:
    """Whether values of a type are secret, or hold secrets: they belong in the settings."""
    return kind is Secret or any(is_secret(part) for part in get_args(kind))


@lru_cache(maxsize=16_384)
def read_kept(keys: str, kind: type[T]) -> T:
    """A target from its keys as they are kept, as JSON; its texts were read when it was added, and are not again each minute.

    Raises:
        ValueError: one of them is not valid any more.
    """
    return msgspec.json.decode(keys, type=kind, strict=False, dec_hook=_decode_kept)


def readable(added: Mapping[str, str], kind: type[T], people: Mapping[str, tuple[Secret, ...]]) -> dict[str, T]:
    """Those of some added targets, by title, whose keys are still valid; *people*: whom they name."""
    found = {}
    for title, keys in added.items():
        with suppress(ValueError):
            target = read_kept(keys, kind)
            found[title] = replace(target, notify=people[title]) if title in people else target
    return found


def read_target(keys: Mapping[str, Any], kind: type[T]) -> T:
    """A target from its keys as a person typed them.

    Raises:
        ValueError: one of them is not valid.
    """
    return msgspec.convert(keys, kind, strict=False, dec_hook=_decode)


def read_value(raw: Any, kind: Any) -> Any:
    """One value of a target as a person typed it.

    Raises:
        ValueError: it is not valid.
    """
    return msgspec.convert(raw, kind, strict=False, dec_hook=_decode)


def _decode_kept(kind: Any, raw: Any) -> Any:
    return kind(raw) if issubclass(kind, str) else _decode(kind, raw)


def _decode(kind: Any, raw: Any) -> Any:
    if isinstance(raw, kind):
        return raw
    return kind.parse(raw) if hasattr(kind, "parse") else kind(raw)
