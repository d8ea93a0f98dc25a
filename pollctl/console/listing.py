"""Rows for people and programs: a table that fits the screen, a plain one for pipes, one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pollctl.console.json_document import print_json
from pollctl.console.moments import Moments, read
from pollctl.console.streams import log, print_document, print_text
from pollctl.console.terminal import Terminal, is_terminal, terminal

if TYPE_CHECKING:
    from rich.text import Text

    from pollctl.api.listing import Column

_UNBOUNDED = 100_000
_WHENEVER = Moments()


def print_rows(
    rows: Sequence[Mapping[str, Any]] | Mapping[str, Any],
    *,
    as_json: bool,
    columns: Sequence[str | Column] = (),
    moments: Moments = _WHENEVER,
    empty: str = "",
) -> None:
    """Print rows as a table, one row as a list of its fields, or either as one JSON document.

    Args:
        rows: one or many; every row of many has the same keys.
        as_json: whether all of it goes out as JSON.
        columns: which keys a table shows, all of them if empty; JSON always has all.
        moments: how a terminal shows them; JSON and pipes get them whole.
        empty: what is said on stderr where there is no row: what is empty, and which command fills it.
    """
    if as_json:
        print_json(rows)
        return
    from pollctl.encoding import masked

    rows = masked(rows, keeps_names=True)
    if isinstance(rows, Mapping):
        _print_fields(rows, moments)
    elif rows:
        _print_table(rows, columns, moments)
    elif empty:
        log(empty)


def print_more(
    rows: Sequence[Mapping[str, Any]], last: int, *, columns: Sequence[str | Column], moments: Moments
) -> None:
    """Print the *last* rows below those before them, which were printed already: no heading, the same columns."""
    if not last:
        return
    if not is_terminal():
        _print_plain([_plain(row, list(map(_key, columns))) for row in rows][-last:])
        return
    from pollctl.console.layout import lines_of

    screen = terminal()
    print_lines(lines_of(rows, _specified(rows, columns), screen, moments)[-last:], screen)


def print_lines(lines: list[Text], screen: Terminal) -> None:
    """Print lines that have their colours already."""
    print_document(f"{screen.rendered(lines)}\n")


def _print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str | Column], moments: Moments) -> None:
    if not is_terminal():
        keys = list(map(_key, columns)) or list(rows[0])
        _print_plain([keys, *(_plain(row, keys) for row in rows)])
        return
    from pollctl.console.layout import lines_of

    screen = terminal()
    print_lines(lines_of(rows, _specified(rows, columns), screen, moments), screen)


def _plain(row: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    from pollctl.console import cells

    return [cells.plain(row[key]) for key in keys]


def _key(column: str | Column) -> str:
    return column if isinstance(column, str) else column.key


def _specified(rows: Sequence[Mapping[str, Any]], columns: Sequence[str | Column]) -> list[Column]:
    """The columns with their kinds; those that are only named, or not even that, by what they seem to hold."""
    from msgspec.structs import replace

    from pollctl.console import cells

    guessed = {column.key: column for column in cells.guessed(list(rows))}
    if not columns:
        return list(guessed.values())
    return [replace(guessed[column], drop=0) if isinstance(column, str) else column for column in columns]


def _print_fields(row: Mapping[str, Any], moments: Moments) -> None:
    if not is_terminal():
        _print_plain([*zip(row, _plain(row, list(row)), strict=True)])
        return
    from rich.text import Text

    from pollctl.console import cells
    from pollctl.console.layout import wrapped

    screen = terminal()
    names = {key: key.replace("_", " ") for key in row}
    indent = max(map(len, names.values()), default=0) + 2
    lines = []
    for key, value in row.items():
        kind = cells.kind_of(key, [value])
        text = moments.long(value) if read(value) else cells.shown(value, kind, moments)
        for number, part in enumerate(wrapped(Text(text, cells.style(text, kind)), max(20, screen.width - indent))):
            name = Text((names[key] if number == 0 else "").ljust(indent), "bold" if number == 0 else "")
            lines.append(name.append_text(part))
    print_lines(lines, screen)


def _print_plain(rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns, as wide as they are."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, width=_UNBOUNDED, force_terminal=False, highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    with console.capture() as captured:
        console.print(table)
    print_text("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))
