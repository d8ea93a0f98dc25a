"""The requests of the REST API, each as one function that returns plain values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from pollctl import Answer, shorten, strict_json
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession, rest_name
from pollctl_shell_query.client.sql_removal import LONGEST_MESSAGE
from pollctl_shell_query.model import Rowset

_MAX_SMALL = 256 * 1024
_OK = 200

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Running(Struct, frozen=True, rename="camel"):
    """The answer to whether a query runs."""

    is_running: bool


class Item(Struct, frozen=True):
    """One row; its columns are spread over two objects."""

    keys: dict[str, Any] = {}
    values: dict[str, Any] = {}


class Counted(Struct, frozen=True):
    """A page whose rows do not matter, whatever they hold."""

    count: Count


class Page(Struct, frozen=True):
    """One page of a rowset; ``count`` is that of all rows."""

    count: Count
    items: list[Item] = []


class Validation(Struct, frozen=True, rename="camel"):
    """Whether the upstream takes SQL text for valid."""

    query_valid: bool
    errors: list[Any] = []
    error_message: str | None = None

    @property
    def reasons(self) -> list[str]:
        """Why it is not valid, one line each."""
        messages = [_message(error) for error in self.errors] or [self.error_message or ""]
        lines = [shorten(message, LONGEST_MESSAGE) for message in messages if message.strip()]
        return lines or ["Marketing Cloud does not say why"]


def is_running(session: ApiSession, object_id: str) -> bool:
    """Whether a query runs.

    Raises:
        UpstreamError: it could not be asked, or was not answered in a way to go on with.
    """
    answer = session.rest(f"/automation/v1/queries/{quote(object_id, safe='')}/actions/isrunning/", max_body=_MAX_SMALL)
    found: Running = _read(session, answer, Running)
    return found.is_running


def count_rows(session: ApiSession, target: str) -> Rowset:
    """How many rows a data extension has, or why that cannot be read.

    Raises:
        UpstreamError: nothing was asked after all.
    """
    try:
        found: Counted = _rowset(session, target, 1, 1, Counted)
        return Rowset(count=found.count)
    except UpstreamError as error:
        if error.is_of_the_pass:
            raise
        return Rowset(error=str(error), retry_after_s=error.retry_after_s)


def page(session: ApiSession, target: str, *, number: int, size: int) -> Page:
    """One page of the rows of a data extension.

    Raises:
        UpstreamError: as for ``is_running``.
    """
    found: Page = _rowset(session, target, number, size, Page)
    return found


def validate(session: ApiSession, sql: str) -> Validation:
    """Whether the upstream takes SQL text for valid.

    Raises:
        UpstreamError: as for ``is_running``.
    """
    answer = session.rest("/automation/v1/queries/actions/validate/", body=json.dumps({"Text": sql}).encode())
    found: Validation = _read(session, answer, Validation)
    return found


def _rowset(session: ApiSession, target: str, number: int, size: int, kind: Any) -> Any:
    """A page as a *kind*; rows are read as they are, with NUL where one is: only who asked for them sees them."""
    path = f"/data/v1/customobjectdata/key/{quote(target, safe='')}/rowset?$page={number}&$pageSize={size}"
    return _read(session, session.rest(path), kind, msgspec.json.decode)


def _read(session: ApiSession, answer: Answer, kind: Any, decode: Callable[..., Any] = strict_json) -> Any:
    upstream = rest_name(session.token())
    if answer.status != _OK:
        raise session.error_of(answer, upstream)
    try:
        return decode(answer.body, type=kind)
    except (ValueError, RecursionError) as error:
        message = f"{upstream} answered {answer.status} with {shorten(str(error))}"
        raise UpstreamError("transient", message) from None


def _message(error: Any) -> str:
    if isinstance(error, dict):
        named = [str(error[key]) for key in ("message", "errorMessage", "description") if error.get(key)]
        return named[0] if named else msgspec.json.encode(error).decode()
    return str(error)
