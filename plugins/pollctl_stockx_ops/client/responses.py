"""What an answer of the API says about a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pollctl import Answer, retry_after, strict_json
from pollctl_stockx_ops.client import fields
from pollctl_stockx_ops.client.bodies import (
    AskData,
    Changes,
    ErrorBody,
    Operation,
    OperationResult,
    Refusal,
    V2Operation,
)
from pollctl_stockx_ops.client.fields import TEXT_LIMIT, safe_text
from pollctl_stockx_ops.model import DueJob, Hold, Login, Response, Settings

_T = TypeVar("_T")


def read(answer: Answer, job: DueJob, login: Login, now: datetime, settings: Settings) -> Response:
    """What an answer says about a job; never an error, whatever came."""
    pause = retry_after(answer, now)
    facts: dict[str, Any] = {
        "job_id": job.job_id,
        "attempt": job.attempt,
        "connection": login.connection,
        "status": answer.status,
        "retry_after_s": None if pause is None else pause.total_seconds(),
    }
    secrets = [secret.reveal() for secret in (settings.api_key, login.access_token, login.refresh_token) if secret]
    try:
        facts |= _operation(answer, settings, secrets) if answer.is_ok else _failure(answer, secrets)
    except (ValueError, RecursionError) as error:
        facts["error"] = safe_text(f"unreadable answer: {error}", secrets)
    return Response(**facts)


def hold_of(answer: Answer, host: str, now: datetime) -> Hold | None:
    """The moment before which the answer's host wants no request, if it named one."""
    # A clock that stands still, as in a rehearsal, does not count the time of the exchange either.
    took = timedelta(milliseconds=answer.elapsed_ms) if answer.started_at > now else timedelta()
    answered_at = answer.started_at + took
    pause = retry_after(answer, answered_at)
    return Hold(host=host, until=answered_at + pause) if pause else None


def _operation(answer: Answer, settings: Settings, secrets: Sequence[str]) -> dict[str, Any]:
    """The facts of an answer of status 2xx.

    Raises:
        ValueError: it is not what the dialect promises.
    """
    if settings.dialect == "v2":
        return _v2_operation(strict_json(answer.body, V2Operation), secrets)
    operation: Operation = strict_json(answer.body, Operation)
    result = operation.result or OperationResult()
    return {
        "word": safe_text(operation.status, secrets),
        **_error(operation.error, secrets),
        "listing_id": fields.listing_id(result.id),
        "amount": fields.amount(result.amount),
        "currency_code": fields.currency(result.currencyCode),
        "expires_at": fields.moment(result.expiresAt),
    }


def _v2_operation(operation: V2Operation, secrets: Sequence[str]) -> dict[str, Any]:
    asks = _asks(operation.changes or Changes())
    return {
        "word": safe_text(operation.operationStatus, secrets),
        **_error(operation.error, secrets),
        "amount": _last(fields.amount(ask.amount) for ask in asks),
        "currency_code": _last(fields.currency(ask.currency) for ask in asks),
        "expires_at": _last(fields.moment(ask.expiresAt) for ask in asks),
    }


def _asks(changes: Changes) -> list[AskData]:
    return [change.askData for change in (changes.additions, changes.updates) if change and change.askData]


def _last(values: Iterable[_T | None]) -> _T | None:
    """The last value that was given: an update goes before an addition."""
    given = [value for value in values if value is not None]
    return given[-1] if given else None


def _error(error: str | ErrorBody | None, secrets: Sequence[str]) -> dict[str, Any]:
    if isinstance(error, ErrorBody):
        code = str(error.code) if error.code not in (None, "") else None
        text = error.message
    else:
        code, text = None, error
    return {
        "error_code": safe_text(code, secrets) if code else None,
        "error_message": safe_text(text, secrets) if text and text.strip() else None,
    }


def _failure(answer: Answer, secrets: Sequence[str]) -> dict[str, Any]:
    """The facts of any other answer, or of none."""
    if answer.error is not None:
        return {"error": safe_text(answer.error.message, secrets)}
    return {"error": f"HTTP {answer.status}", **_refusal(answer.body, secrets)}


def _refusal(body: bytes, secrets: Sequence[str]) -> dict[str, Any]:
    """Code and message of an error's body: JSON in one of several forms, or short plain text."""
    try:
        refusal: Refusal = strict_json(body, Refusal)
    except (ValueError, RecursionError):
        text = body[: 4 * TEXT_LIMIT].decode(errors="replace").strip()
        is_page = text[:1] in ("<", "{", "[")
        return {} if is_page or not text else {"error_message": safe_text(text, secrets)}
    error = refusal.error if isinstance(refusal.error, dict) else {}
    texts = (error.get("message"), refusal.message, refusal.errorMessage, refusal.error)
    message = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    codes = (error.get("code"), refusal.code)
    code = next((str(code) for code in codes if isinstance(code, str | int) and str(code).strip()), None)
    return {
        "error_code": safe_text(code, secrets) if code else None,
        "error_message": safe_text(message, secrets) if message else None,
    }
