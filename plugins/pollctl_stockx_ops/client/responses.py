"""What an answer of the API says about a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pollctl import Answer, retry_after
from pollctl_stockx_ops.client import fields
from pollctl_stockx_ops.client.bodies import json_object
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


class _Fields:
    """The fields of an answer, read one by one: what cannot be used is noted, and left as it was."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self.unread: list[str] = []

    def read(self, convert: Callable[[Any], _T | None], value: Any) -> _T | None:
        """A field as *convert* makes it of *value*; None where it cannot."""
        try:
            return convert(value)
        except ValueError as error:
            self.unread.append(safe_text(str(error), self._secrets))
            return None

    def part(self, body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """An object within *body*; an empty one where there is none."""
        value = body.get(name)
        if value is not None and not isinstance(value, dict):
            self.unread.append(f"{name} is not an object")
        return value if isinstance(value, dict) else {}

    def error(self, value: Any) -> dict[str, Any]:
        """Code and text of an error."""
        return _safe_error(fields.error_code(value), self.read(fields.error_text, value), self._secrets)


def _operation(answer: Answer, settings: Settings, secrets: Sequence[str]) -> dict[str, Any]:
    """The facts of an answer of status 2xx: its word decides, whatever stands beside it.

    Raises:
        ValueError: it is not an object with a word.
    """
    body, found = json_object(answer.body), _Fields(secrets)
    name = "operationStatus" if settings.dialect == "v2" else "status"
    word = body.get(name)
    if not isinstance(word, str) or "\0" in word or word.encode(errors="replace").decode() != word:
        raise ValueError(f"{name} is not text")
    facts = _v2_facts(body, found) if settings.dialect == "v2" else _facts(found.part(body, "result"), found)
    error = found.error(body.get("error"))
    return {"word": safe_text(word, secrets), **error, **facts, "unread": found.unread}


def _facts(result: Mapping[str, Any], found: _Fields) -> dict[str, Any]:
    return {
        "listing_id": found.read(fields.listing_id, result.get("id")),
        "amount": found.read(fields.amount, result.get("amount")),
        "currency_code": found.read(fields.currency, result.get("currencyCode")),
        "expires_at": found.read(fields.moment, result.get("expiresAt")),
    }


def _v2_facts(body: Mapping[str, Any], found: _Fields) -> dict[str, Any]:
    changes = found.part(body, "changes")
    asks = [found.part(found.part(changes, name), "askData") for name in ("additions", "updates")]
    return {
        "amount": _last([found.read(fields.amount, ask.get("amount")) for ask in asks]),
        "currency_code": _last([found.read(fields.currency, ask.get("currency")) for ask in asks]),
        "expires_at": _last([found.read(fields.moment, ask.get("expiresAt")) for ask in asks]),
    }


def _last(values: Sequence[_T | None]) -> _T | None:
    """The last value that was given: an update goes before an addition."""
    given = [value for value in values if value is not None]
    return given[-1] if given else None


def _safe_error(code: str | None, text: str | None, secrets: Sequence[str]) -> dict[str, Any]:
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
        refusal = json_object(body)
    except (ValueError, RecursionError):
        text = body[: 4 * TEXT_LIMIT].decode(errors="replace").strip()
        return _safe_error(None, None if text[:1] in ("<", "{", "[") else text, secrets)
    found = _Fields(secrets)
    error = refusal.get("error")
    texts = (error if isinstance(error, dict) else None, refusal.get("message"), refusal.get("errorMessage"), error)
    message = next((read for value in texts if (read := found.read(fields.error_text, value))), None)
    return _safe_error(fields.error_code(error) or fields.error_code(refusal), message, secrets)
