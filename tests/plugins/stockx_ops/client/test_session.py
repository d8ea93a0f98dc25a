"""The exchanges of one pass: none after a pause was asked for, and none that is no longer wanted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from plugins.stockx_ops.place import NOON

from pollctl import Answer, FetchError, Request
from pollctl_stockx_ops.client.rate_limiter import RateLimiter
from pollctl_stockx_ops.client.session import ApiSession, host_of
from pollctl_stockx_ops.model import Settings

REQUEST = Request(url="https://api.example.net/v2/operations/1")


def session_that_gets(**facts: Any) -> ApiSession:
    def send(request: Request) -> Answer:
        return Answer(request=request, started_at=NOON, elapsed_ms=1, **facts)

    run: Any = SimpleNamespace(
        settings=Settings(rate="1000/s"), now=NOON, is_stopping=False, remaining=60.0, send=send,
        held_until=lambda host: None,
    )  # fmt: skip
    return ApiSession(run, RateLimiter(run, None))


def test_an_answer_with_a_retry_after_is_the_last_of_the_pass_and_its_pause_is_remembered_once() -> None:
    session = session_that_gets(status=503, headers={"retry-after": "10"})
    assert session.send(REQUEST) is not None
    assert session.is_over
    assert session.send(REQUEST) is None
    assert [hold.host for hold in session.take_holds()] == ["api.example.net"]
    assert session.take_holds() == []


def test_a_request_that_is_no_longer_wanted_when_its_turn_comes_is_not_sent() -> None:
    session = session_that_gets(status=200)
    assert session.send(REQUEST, unless=lambda: True) is None
    assert session.send(REQUEST, unless=lambda: False) is not None


@pytest.mark.parametrize(("kind", "is_answered"), [("deadline", False), ("stopped", False), ("timeout", True)])
def test_that_the_pass_ended_first_is_not_an_answer(kind: Any, is_answered: bool) -> None:
    session = session_that_gets(error=FetchError(kind=kind, message="no answer"))
    assert (session.send(REQUEST) is not None) is is_answered


def test_a_host_is_known_without_its_credentials_and_in_lower_case() -> None:
    assert host_of("https://me:secret@API.example.net:8443/x") == "api.example.net:8443"
