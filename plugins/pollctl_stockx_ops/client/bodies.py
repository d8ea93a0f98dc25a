"""The bodies of the API's answers, in both dialects, as far as they matter."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class AskData(Struct, frozen=True):
    """``askData`` of dialect v2."""

    amount: str | int | float | None = None
    currency: str | None = None
    expiresAt: str | None = None  # noqa: N815 - the API's word


class Change(Struct, frozen=True):
    """One of the ``changes`` of dialect v2."""

    askData: AskData | None = None  # noqa: N815


class Changes(Struct, frozen=True):
    """``changes`` of dialect v2."""

    additions: Change | None = None
    updates: Change | None = None


class ErrorBody(Struct, frozen=True):
    """An error as an object."""

    code: str | int | None = None
    message: str | None = None


class V2Operation(Struct, frozen=True):
    """An operation in dialect v2."""

    operationStatus: str  # noqa: N815
    changes: Changes | None = None
    error: str | ErrorBody | None = None


class OperationResult(Struct, frozen=True):
    """``result`` of dialect operations."""

    id: str | None = None
    amount: str | int | float | None = None
    currencyCode: str | None = None  # noqa: N815
    expiresAt: str | None = None  # noqa: N815


class Operation(Struct, frozen=True):
    """An operation in dialect operations."""

    status: str
    result: OperationResult | None = None
    error: str | ErrorBody | None = None


class Refusal(Struct, frozen=True):
    """The body of an answer that is not 2xx, in all the forms it takes."""

    message: Any = None
    error: Any = None
    errorMessage: Any = None  # noqa: N815
    code: Any = None
