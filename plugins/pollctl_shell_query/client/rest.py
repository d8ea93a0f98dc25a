"""What is asked of the REST API, each question as one function that answers plain values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from pollctl import Answer, strict_json
from pollctl_shell_query.client.errors import LONGEST_SAID, UpstreamError
from pollctl_shell_query.client.session import Desk, rest_name
from pollctl_shell_query.client.xml import shown
from pollctl_shell_query.model.decisions import Rowset

_MAX_SMALL = 256 * 1024
_OK = 200


Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Running(Struct, frozen=True, rename="camel"):
    """The body of the question whether a query runs."""

    is_running: bool


class Item(Struct, frozen=True):
    """One row; its columns are spread over two objects."""

    keys: dict[str, Any] = {}
    values: dict[str, Any] = {}


class Counted(Struct, frozen=True):
    """What a page is looked through for where its rows do not matter, whatever they hold."""

    count: Count


class Page(Struct, frozen=True):
    """One page of a rowset; ``count`` is that of all rows."""

    count: Count
    items: list[Item] = []


class Judgement(Struct, frozen=True, rename="camel"):
    """What the upstream says of SQL text."""

    query_valid: bool
    errors: list[Any] = []
    error_message: str | None = None

    @property
    def reasons(self) -> list[str]:
        """Why it is not valid, one line each."""
        told = [_words(error) for error in self.errors] or [self.error_message or ""]
        return [shown(words)[:LONGEST_SAID] for words in told if words.strip()] or ["Marketing Cloud does not say why"]


def is_running(desk: Desk, object_id: str) -> bool:
    """Whether a query runs.

    Raises:
        UpstreamError: it could not be asked, or was not answered in a way to go on with.
    """
    answer = desk.rest(f"/automation/v1/queries/{quote(object_id, safe='')}/actions/isrunning/", max_body=_MAX_SMALL)
    found: Running = _read(desk, answer, Running)
    return found.is_running


def count_rows(desk: Desk, target: str) -> Rowset:
    """How many rows a data extension has, or why that cannot be read.

    Raises:
        UpstreamError: nothing was asked after all.
    """
    try:
        found: Counted = _rowset(desk, target, 1, 1, Counted)
        return Rowset(count=found.count)
    except UpstreamError as trouble:
        if trouble.is_of_the_pass:
            raise
        return Rowset(trouble=str(trouble), retry_after_s=trouble.retry_after_s)


def page(desk: Desk, target: str, *, number: int, size: int) -> Page:
    """One page of the rows of a data extension.

    Raises:
        UpstreamError: as for ``is_running``.
    """
    found: Page = _rowset(desk, target, number, size, Page)
    return found


def validate(desk: Desk, sql: str) -> Judgement:
    """What the upstream says of SQL text.

    Raises:
        UpstreamError: as for ``is_running``.
    """
    answer = desk.rest("/automation/v1/queries/actions/validate/", body=json.dumps({"Text": sql}).encode())
    found: Judgement = _read(desk, answer, Judgement)
    return found


def _rowset(desk: Desk, target: str, number: int, size: int, kind: Any) -> Any:
    """A page as a *kind*; rows are read as they are, with NUL where one is: they are nobody's but the reader's."""
    path = f"/data/v1/customobjectdata/key/{quote(target, safe='')}/rowset?$page={number}&$pageSize={size}"
    return _read(desk, desk.rest(path), kind, msgspec.json.decode)


def _read(desk: Desk, answer: Answer, kind: Any, decode: Callable[..., Any] = strict_json) -> Any:
    upstream = rest_name(desk.token())
    if answer.status != _OK:
        raise desk.trouble_of(answer, upstream)
    try:
        return decode(answer.body, type=kind)
    except (ValueError, RecursionError) as error:
        raise UpstreamError(
            "transient", f"{upstream} answered {answer.status} with {shown(str(error))[:200]}"
        ) from None


def _words(error: Any) -> str:
    if isinstance(error, dict):
        named = [str(error[key]) for key in ("message", "errorMessage", "description") if error.get(key)]
        return named[0] if named else msgspec.json.encode(error).decode()
    return str(error)
