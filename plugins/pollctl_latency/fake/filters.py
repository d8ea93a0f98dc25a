"""The filters of PostgREST, as far as the mirror uses them: what an address says becomes SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

_OPERATORS = {"eq": "=", "gt": ">", "lt": "<"}
_ATOM = re.compile(r'(?P<column>\w+)\.(?P<operator>\w+)\.(?P<value>"[^"]*"|\([^)]*\)|[^,()]*)')
_GROUP = re.compile(r"(and|or)\(")
RESERVED = ("select", "order", "limit", "on_conflict", "columns")


class Condition(NamedTuple):
    """A piece of SQL with ``?`` for its values."""

    sql: str
    values: list[Any]


def where(query: Iterable[tuple[str, str]]) -> Condition:
    """What the filters of an address mean together.

    Raises:
        ValueError: one of them cannot be read.
    """
    found = []
    for name, value in query:
        if name in ("and", "or"):
            found.append(_joined(f"{name}{value}"))
        elif name not in RESERVED:
            found.append(_atom(f"{name}.{value}"))
    if not found:
        return Condition("", [])
    return Condition(
        " WHERE " + " AND ".join(one.sql for one in found), [value for one in found for value in one.values]
    )


def _joined(text: str) -> Condition:
    condition, rest = _expression(text)
    if rest:
        raise ValueError(text)
    return condition


def _expression(text: str) -> tuple[Condition, str]:
    group = _GROUP.match(text)
    if group is None:
        match = _ATOM.match(text)
        if match is None:
            raise ValueError(text)
        return _atom(match[0]), text[match.end() :]
    parts, rest = [], text[group.end() :]
    while True:
        part, rest = _expression(rest)
        parts.append(part)
        if rest.startswith(")"):
            sql = f" {group[1].upper()} ".join(one.sql for one in parts)
            return Condition(f"({sql})", [value for one in parts for value in one.values]), rest[1:]
        if not rest.startswith(","):
            raise ValueError(text)
        rest = rest[1:]


def _atom(text: str) -> Condition:
    match = _ATOM.fullmatch(text)
    if match is None:
        raise ValueError(text)
    column, operator, value = match["column"], match["operator"], match["value"].strip('"')
    if operator in _OPERATORS:
        return Condition(f"{column} {_OPERATORS[operator]} ?", [value])
    if operator == "is" and value == "null":
        return Condition(f"{column} IS NULL", [])
    if operator == "in":
        values = value.strip("()").split(",")
        return Condition(f"{column} IN ({', '.join('?' for _ in values)})", list(values))
    raise ValueError(text)
