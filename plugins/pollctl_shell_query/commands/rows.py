"""The rows of a run: page by page from the rowset, written as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from pollctl import PollctlError
from pollctl_shell_query.client import rest
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession

PAGE_SIZE = 2500
"""Rows in a page, the most that this upstream gives."""

Row = dict[str, Any]


def pages(session: ApiSession, target: str, report: Callable[[int, int], None]) -> Iterator[list[Row]]:
    """The rows of a data extension, page by page; *report* is given how many of how many have come.

    Raises:
        PollctlError: a page could not be read.
    """
    number = seen = 0
    while True:
        number += 1
        try:
            page = rest.page(session, target, number=number, size=PAGE_SIZE)
        except UpstreamError as error:
            raise PollctlError(f"the rows of {target!r} could not be read, page {number}: {error}") from error
        seen += len(page.items)
        report(seen, page.count)
        if page.items:
            yield [{**item.keys, **item.values} for item in page.items]
        if not page.items or seen >= page.count:
            return


def write_csv(found: Iterable[list[Row]], out: TextIO) -> None:
    """Rows as CSV; the columns are those of the first row. On a terminal, what could steer it is escaped.

    Raises:
        PollctlError: a later row has other columns.
    """
    writer: csv.DictWriter[str] | None = None
    cell = _printable if out.isatty() else _cell
    for rows in found:
        if writer is None:
            writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
            writer.writerow({key: cell(key) for key in rows[0]})
        try:
            writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
        except ValueError as error:
            raise PollctlError(f"the rows do not all have the same columns, so use --format json: {error}") from error


def write_json(found: Iterable[list[Row]], out: TextIO) -> None:
    """Rows as one JSON array."""
    out.write("[")
    lead = "\n"
    for rows in found:
        for row in rows:
            out.write(f"{lead}  {json.dumps(row)}")
            lead = ",\n"
    out.write("]\n" if lead == "\n" else "\n]\n")


def _printable(value: Any) -> str:
    """A cell as a terminal may have it: one line of what can be printed, the rest escaped."""
    text = "" if value is None else str(_cell(value))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
