"""Answers with a status, and what it means when there is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl import Answer, FetchError, Request
from pollctl_shell_query.client.errors import ErrorKind, UpstreamError

if TYPE_CHECKING:
    import requests

_CUT = ("deadline", "stopped")


def answered(answer: Answer) -> Answer:
    """An answer that has a status.

    Raises:
        UpstreamError: it has none.
    """
    if answer.error is not None:
        raise error_without_answer(answer.error)
    return answer


def answer_of(response: requests.Response, now: datetime) -> Answer:
    """The answer that a response of requests is."""
    return Answer(
        request=Request(url=response.url),
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=response.content,
        started_at=now,
        elapsed_ms=response.elapsed / timedelta(milliseconds=1),
    )


def error_without_answer(error: FetchError) -> UpstreamError:
    """What it means that there is no answer."""
    kind: ErrorKind = "transient"
    if error.kind == "too_large":
        kind = "large"
    elif error.kind in _CUT:
        kind = "cut"
    return UpstreamError(kind, error.message)
