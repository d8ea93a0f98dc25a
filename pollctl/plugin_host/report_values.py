"""Whether what a plugin gives to the report can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from pollctl import units
from pollctl.api.listing import Column, Kind, State
from pollctl.api.report import Block, Section, Table
from pollctl.clock import from_text
from pollctl.errors import PluginError


def drawable(sections: Any) -> Sequence[Section]:
    """The sections of a plugin, none for None; of each row the cells that have a column, as nobody means to show the others.

    Raises:
        PluginError: one cannot be drawn; says which, where and what would do.
    """
    if sections is None:
        return ()
    if not isinstance(sections, list | tuple) or not all(isinstance(one, Section) for one in sections):
        raise PluginError(f"answered {_named(sections)}, not a list of pollctl.Section")
    for section in sections:
        for table in [block for block in section.blocks if isinstance(block, Table)]:
            if wrong := next(_wrong_with(table), ""):
                raise PluginError(f"{section.title}: table {table.title!r}: {wrong}")
        _require_typed(section)
    return [replace(section, blocks=list(map(_narrowed, section.blocks))) for section in sections]


def _narrowed(block: Block) -> Block:
    if not isinstance(block, Table):
        return block
    return replace(block, rows=[{column.key: row[column.key] for column in block.columns} for row in block.rows])


def _require_typed(section: Section) -> None:
    """See that a section is what its types say: nothing looks at them when a struct is made."""
    try:
        text = msgspec.json.encode(section, enc_hook=units.encode)
        msgspec.json.decode(text, type=Section)
    except (msgspec.ValidationError, TypeError, ValueError, NotImplementedError) as error:
        raise PluginError(f"{section.title}: {error}") from error


def _named(sections: Any) -> str:
    if isinstance(sections, list | tuple):
        return f"a list with {next(type(one).__name__ for one in sections if not isinstance(one, Section))}"
    return type(sections).__name__


def _wrong_with(table: Table) -> Iterator[str]:
    columns: Sequence[Any] = table.columns  # nothing looks at types when a struct is made
    for column in columns:
        if not isinstance(column, Column):
            yield f"{column!r} is a column without a kind; write pollctl.Column({column!r}, kind=...)"
        elif column.kind not in _FITS:
            yield f"column {column.key!r} is of the kind {column.kind!r}; there are {', '.join(_FITS)}"
    rows: Sequence[Any] = table.rows
    for row in rows:
        for column in columns:
            if not isinstance(row, Mapping) or column.key not in row:
                yield f"a row has no {column.key!r}"
            elif (value := row[column.key]) is not None and not _FITS[column.kind](value):
                yield f"column {column.key!r} holds {value!r}, which is not of the kind {column.kind!r}"


def _is_moment(value: Any) -> bool:
    """Whether it is a moment with a zone, or what the database keeps for one."""
    if isinstance(value, datetime):
        return value.tzinfo is not None
    try:
        return isinstance(value, str) and (not value or from_text(value) is not None)
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _is_length(value: Any) -> bool:
    return isinstance(value, int | float | timedelta)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int)


_FITS: Mapping[Kind, Callable[[Any], bool]] = {
    "text": lambda _: True,
    "id": _is_text,
    "state": lambda value: isinstance(value, str | State),
    "number": _is_number,
    "moment": _is_moment,
    "age": _is_moment,
    "milliseconds": _is_length,
    "span": _is_length,
    "share": _is_number,
    "code": _is_text,
}
