"""One operation at a time: what to ask about it, and what the answer says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from pollctl import Answer, Request, from_text, retry_after, strict_json
from pollctl_stockx_ops.model import Hold, Reply, Settings
from pollctl_stockx_ops.store import Due, Login

CUT = ("deadline", "stopped")
"""The pass ended first: that says nothing about anyone, and the next pass asks again."""
SHOWN_CHARACTERS = 500
_CURRENCY = re.compile(r"[A-Za-z]{3,10}")
_LARGEST = 2**63
_SHORTEST_MASKED = 4  # shorter ones would blot out ordinary words


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


class Error(Struct, frozen=True):
    """An error as an object."""

    code: str | int | None = None
    message: str | None = None


class V2(Struct, frozen=True):
    """The body of dialect v2, as far as it matters."""

    operationStatus: str  # noqa: N815
    changes: Changes | None = None
    error: str | Error | None = None


class Result(Struct, frozen=True):
    """``result`` of dialect operations."""

    id: str | None = None
    amount: str | int | float | None = None
    currencyCode: str | None = None  # noqa: N815
    expiresAt: str | None = None  # noqa: N815


class Operation(Struct, frozen=True):
    """The body of dialect operations, as far as it matters."""

    status: str
    result: Result | None = None
    error: str | Error | None = None


class Refusal(Struct, frozen=True):
    """The body of an answer that is none of 2xx, in the forms that are known."""

    message: Any = None
    error: Any = None
    errorMessage: Any = None  # noqa: N815
    code: Any = None


def trouble_with(text: str | None) -> str | None:
    """Why an id cannot be asked about, or None."""
    if not text:
        return "it is empty"
    if not text.isascii() or not text.isprintable() or " " in text or text in (".", "..") or len(text) > 200:  # noqa: PLR2004
        return "write printable ASCII without blanks, 200 characters at most"
    return None


def request_for(due: Due, login: Login, settings: Settings) -> Request:
    """The exchange that asks about a job.

    Raises:
        ValueError: an id of the job cannot be asked about.
    """
    ids = {"operation id": due.operation_id}
    path = "v2/operations/{operation id}"
    if settings.dialect == "v2":
        ids["listing id"] = due.listing_id or ""
        path = "v2/selling/listings/{listing id}/operations/{operation id}"
    for name, value in ids.items():
        if trouble := trouble_with(value):
            raise ValueError(f"its {name} {value!r} cannot be asked about: {trouble}")
    path = path.format_map({name: quote(value, safe="") for name, value in ids.items()})
    token = login.access_token.reveal() if login.access_token else ""
    headers = {"x-api-key": settings.api_key.reveal(), "Authorization": f"Bearer {token}", "Accept": "application/json"}
    # A repeat by the HTTP client would be a second request at once, whatever the rate.
    return Request(url=f"{settings.base_url.rstrip('/')}/{path}", headers=headers, follow=False, repeat=False)


def read(answer: Answer, due: Due, login: Login, now: datetime, settings: Settings) -> Reply:
    """What an exchange says about a job; never an error, whatever came."""
    pause = retry_after(answer, now)
    facts: dict[str, Any] = {
        "job_id": due.job_id,
        "attempt": due.attempt,
        "connection": login.connection,
        "status": answer.status,
        "retry_after_s": None if pause is None else pause.total_seconds(),
    }
    secrets = [secret.reveal() for secret in (settings.api_key, login.access_token, login.refresh_token) if secret]
    try:
        facts |= _said(answer, settings, secrets) if answer.is_ok else _refused(answer, secrets)
    except (ValueError, RecursionError) as error:
        facts["trouble"] = shown(f"unreadable answer: {error}", secrets)
    return Reply(**facts)


def hold_of(answer: Answer, host: str, now: datetime) -> Hold | None:
    """The moment before which the answer's host wants no request, if it named one."""
    # A clock that stands still, as in a rehearsal, does not count the time of the exchange either.
    took = timedelta(milliseconds=answer.elapsed_ms) if answer.started_at > now else timedelta()
    came_at = answer.started_at + took
    pause = retry_after(answer, came_at)
    return Hold(host=host, until=came_at + pause) if pause else None


def _said(answer: Answer, settings: Settings, secrets: Sequence[str]) -> dict[str, Any]:
    """The facts of an answer of status 2xx.

    Raises:
        ValueError: it is not what the dialect says.
    """
    if settings.dialect == "v2":
        body: V2 = strict_json(answer.body, V2)
        changes = body.changes or Changes()
        asks = [change.askData for change in (changes.additions, changes.updates) if change and change.askData]
        return {
            "word": shown(body.operationStatus, secrets),
            **_error(body.error, secrets),
            "amount": _last(_amount(ask.amount) for ask in asks),
            "currency_code": _last(_currency(ask.currency) for ask in asks),
            "expires_at": _last(_moment(ask.expiresAt) for ask in asks),
        }
    said: Operation = strict_json(answer.body, Operation)
    result = said.result or Result()
    return {
        "word": shown(said.status, secrets),
        **_error(said.error, secrets),
        "listing_id": _listing_id(result.id),
        "amount": _amount(result.amount),
        "currency_code": _currency(result.currencyCode),
        "expires_at": _moment(result.expiresAt),
    }


def _refused(answer: Answer, secrets: Sequence[str]) -> dict[str, Any]:
    """The facts of any other answer, or of none."""
    if answer.error is not None:
        return {"trouble": shown(answer.error.message, secrets)}
    return {"trouble": f"HTTP {answer.status}", **refusal(answer.body, secrets)}


def refusal(body: bytes, secrets: Sequence[str]) -> dict[str, Any]:
    """Code and message of an error's body: JSON in one of the known forms, or short plain text."""
    try:
        said: Refusal = strict_json(body, Refusal)
    except (ValueError, RecursionError):
        text = body[: 4 * SHOWN_CHARACTERS].decode(errors="replace").strip()
        is_page = text[:1] in ("<", "{", "[")
        return {} if is_page or not text else {"error_message": shown(text, secrets)}
    error = said.error if isinstance(said.error, dict) else {}
    texts = (error.get("message"), said.message, said.errorMessage, said.error)
    message = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    codes = (error.get("code"), said.code)
    code = next((str(code) for code in codes if isinstance(code, str | int) and str(code).strip()), None)
    return {
        "error_code": shown(code, secrets) if code else None,
        "error_message": shown(message, secrets) if message else None,
    }


def _error(error: str | Error | None, secrets: Sequence[str]) -> dict[str, Any]:
    if isinstance(error, Error):
        code = str(error.code) if error.code not in (None, "") else None
        text = error.message
    else:
        code, text = None, error
    return {
        "error_code": shown(code, secrets) if code else None,
        "error_message": shown(text, secrets) if text and text.strip() else None,
    }


def _amount(value: str | float | None) -> int | None:
    """An amount in whole units, which the API writes as text or as a number.

    Raises:
        ValueError: it is none.
    """
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"the amount {value!r} is no number") from error
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount < _LARGEST:
        raise ValueError(f"the amount {value!r} is not one of whole units")
    return int(amount)


def _currency(text: str | None) -> str | None:
    if text and not _CURRENCY.fullmatch(text):
        raise ValueError(f"the currency {text[:20]!r} is none")
    return text or None


def _moment(text: str | None) -> datetime | None:
    moment = from_text(text) if text else None
    if moment and not 2000 <= moment.year < 2300:  # noqa: PLR2004 - what the tables hold
        raise ValueError(f"{text!r} is no moment of this age")
    return moment


def _listing_id(text: str | None) -> str | None:
    trouble = trouble_with(text) if text else None
    if trouble:
        raise ValueError(f"the listing id cannot be used: {trouble}")
    return text or None


def _last(values: Any) -> Any:
    """The last value that was given: an update goes before an addition."""
    given = [value for value in values if value is not None]
    return given[-1] if given else None


def shown(text: str, secrets: Sequence[str] = ()) -> str:
    """Text of an upstream, safe to keep and to print: one line, no control characters, no secrets, not long."""
    for secret in secrets:
        text = text.replace(secret, "***") if len(secret) >= _SHORTEST_MASKED else text
    printable = "".join(char if char.isprintable() else " " for char in text).strip()
    return printable if len(printable) <= SHOWN_CHARACTERS else f"{printable[: SHOWN_CHARACTERS - 1]}…"
