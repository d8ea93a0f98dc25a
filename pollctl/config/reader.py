"""One table as one typed struct, keeping every problem: msgspec stops at the first and knows no near keys."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import PurePath
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from pollctl.config import messages as words
from pollctl.config.decoder import Decoder, RefusedError
from pollctl.redaction import know_login, mask, one_line
from pollctl.units import HttpUrl

S = TypeVar("S", bound=Struct)
MOST_PROBLEMS = 100
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_VERY_NEAR, _NEAR, _DEPTH = 0.85, 0.6, 4


class Reader:
    """Reads tables and keeps what is wrong with them.

    Args:
        file: how messages name the settings file.
        decoder: turns TOML values into the types that TOML has no word for.
        roots: the tables there are, by their names in messages: where an unknown key may belong.

    Attributes:
        problems: one line each: file, key, what was found, what is allowed.
    """

    def __init__(self, file: str, decoder: Decoder, roots: Mapping[str, type[Struct]]) -> None:
        self._file = file
        self._decoder = decoder
        self._roots = roots
        self.problems: list[str] = []

    def note(self, where: str, problem: str) -> None:
        """Keep a problem; beyond as many as anybody reads only that there are more."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{self._file}: {where}: {one_line(mask(problem))}")
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append(f"{self._file}: there are more problems")

    def struct(self, table: Any, kind: type[S], where: str, *, known: Collection[str] = ()) -> S | None:
        """A *table* as a *kind*, or None when there is a problem in it.

        Args:
            table: what TOML gave.
            kind: a msgspec struct; its own limits and ``__post_init__`` count.
            where: the table's name in messages.
            known: keys that are someone else's and may be there.
        """
        if not isinstance(table, dict):
            self._wrong(table, kind, where)
            return None
        before, own = len(self.problems), _fields(kind)
        self.unknown(table, {*known, *kind.__struct_encode_fields__}, where)
        arguments = {}
        for field in own:
            key = join(where, field.encode_name)
            if field.encode_name in table:
                arguments[field.name] = self.value(table[field.encode_name], field.type, key)
            elif field.required:
                self.note(key, f"missing; needs {words.allowed(field.type)}")
        if len(self.problems) > before:
            return None
        return self._build(kind, arguments, where)

    def value(self, raw: Any, kind: Any, where: str) -> Any:
        """A value as a *kind*; None when there is a problem in it."""
        inner, is_optional = words.plain(kind)
        base = words.bare(inner)
        origin = get_origin(base)
        if isinstance(base, type) and issubclass(base, Struct):
            return self.struct(raw, base, where)
        if isinstance(raw, list) and _is_row(base):
            items = [self.value(item, get_args(base)[0], f"{where}[{i}]") for i, item in enumerate(raw)]
            return self._limited(tuple(items) if origin is tuple else items, inner, where)
        if isinstance(raw, dict) and origin in (dict, Mapping):
            table = {key: self.value(item, get_args(base)[1], join(where, key)) for key, item in raw.items()}
            return self._limited(table, inner, where)
        if raw == "" and is_optional and isinstance(base, type) and issubclass(base, PurePath | HttpUrl):
            return None  # TOML has no null
        return self._leaf(raw, inner, where)

    def unknown(self, table: Mapping[str, Any], known: Collection[str], where: str) -> None:
        """Note the keys of *table* that are not *known*, each with what was probably meant."""
        for key in table:
            if len(self.problems) > MOST_PROBLEMS:
                return
            if key not in known:
                hint = self.hint(key, known) or f"; allowed: {', '.join(sorted(known))}"
                self.note(join(where, key), f"unknown key{hint}")

    def hint(self, key: str, known: Collection[str]) -> str:
        """What was probably meant by an unknown key: a near one of *known*, or the same in another table."""
        from difflib import get_close_matches

        homes = sorted({home for where, kind in self._roots.items() for home in _homes(key, kind, where)})
        near = get_close_matches(key, sorted(known), n=1, cutoff=_VERY_NEAR if homes else _NEAR)
        if near:
            return f" (did you mean '{near[0]}'?)"
        return f"; it belongs in {' or '.join(homes)}" if homes else ""

    def _build(self, kind: type[S], arguments: dict[str, Any], where: str) -> S | None:
        try:
            return kind(**arguments)
        except ValueError as error:  # a rule over several fields, from the struct's __post_init__
            self.note(where, str(error))
            return None

    def _limited(self, value: Any, kind: Any, where: str) -> Any:
        if get_origin(kind) is not Annotated:
            return value
        try:
            msgspec.convert(value, Annotated[(type(value), *kind.__metadata__)])
        except msgspec.ValidationError:
            return self._wrong(value, kind, where)
        return value

    def _leaf(self, raw: Any, kind: Any, where: str) -> Any:
        if isinstance(raw, str) and "://" in raw:
            know_login(raw)
        if isinstance(raw, int | float) and not _is_number(raw):
            return self.note(where, f"found a number out of range; allowed {words.allowed(kind)}")
        try:
            return msgspec.convert(raw, kind, strict=True, dec_hook=self._decoder)
        except msgspec.ValidationError as error:
            if isinstance(error.__cause__, RefusedError):
                return self.note(where, str(error.__cause__))
        return self._wrong(raw, kind, where)

    def _wrong(self, raw: Any, kind: Any, where: str) -> None:
        self.note(where, f"found {words.found(raw, kind)}; allowed {words.allowed(kind)}")


def join(where: str, key: str) -> str:
    """The name of a key in messages, as TOML writes it."""
    key = key if _BARE_KEY.fullmatch(key) else words.shown(key)
    return f"{where}.{key}" if where else key


def _is_number(raw: float) -> bool:
    return math.isfinite(raw) if isinstance(raw, float) else -(2**63) <= raw < 2**63


def _is_row(kind: Any) -> bool:
    """Whether a type is a list of any length, whose items can be read one by one."""
    return get_origin(kind) in (list, Sequence) or (get_origin(kind) is tuple and get_args(kind)[-1] is ...)


def _homes(key: str, kind: type[Struct], where: str, depth: int = 0) -> Iterator[str]:
    """The tables within *kind* that know *key*."""
    if key in kind.__struct_encode_fields__:
        yield f"[{where}]"
    for field in fields(kind) if depth < _DEPTH else ():
        inner = words.bare(field.type)
        is_row = _is_row(inner)
        inner = words.bare(get_args(inner)[0]) if is_row else inner
        if isinstance(inner, type) and issubclass(inner, Struct):
            homes = _homes(key, inner, join(where, field.encode_name), depth + 1)
            yield from (f"[{home}]" if is_row else home for home in homes)


@cache
def _fields(kind: type[Struct]) -> tuple[FieldInfo, ...]:
    """Those of a struct: annotations are evaluated anew each time that msgspec is asked, and lists have thousands of tables."""
    return fields(kind)
