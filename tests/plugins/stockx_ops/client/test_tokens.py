"""Refreshing a login, and what the token endpoint answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from plugins.stockx_ops.place import NOON

from pollctl import Answer, Request, Secret
from pollctl_stockx_ops.client import tokens
from pollctl_stockx_ops.model import Expired, Login, Settings, Tokens

LOGIN = Login("anna", 3, Secret("acc-token"), Secret("ref-token"), None)


def answer(body: Any, status: int = 200) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(request=Request(url="http://x/"), started_at=NOON, elapsed_ms=7.0, status=status, body=content)


def test_an_access_token_with_sixty_seconds_left_is_refreshed_and_one_with_more_is_not() -> None:
    def fresh(seconds: float) -> bool:
        return tokens.is_fresh(LOGIN._replace(expires_at=NOON + timedelta(seconds=seconds)), NOON)

    assert [fresh(60), fresh(60.001), fresh(-1)] == [False, True, False]
    assert not tokens.is_fresh(LOGIN._replace(access_token=None), NOON)


def test_the_refresh_is_the_form_that_the_endpoint_wants() -> None:
    request = tokens.refresh_request(LOGIN, Settings(client_id=Secret("me"), client_secret=Secret("s&cret")))
    assert (request.method, request.url) == ("POST", "https://accounts.stockx.com/oauth/token")
    assert request.body == (
        b"grant_type=refresh_token&client_id=me&client_secret=s%26cret&refresh_token=ref-token"
        b"&audience=gateway.stockx.com"
    )


def test_an_answer_may_omit_the_refresh_token() -> None:
    kept = tokens.read(answer({"access_token": "new-access", "expires_in": 100}), LOGIN)
    assert isinstance(kept, Tokens)
    assert (kept.refresh_token, kept.expires_at) == (None, NOON + timedelta(seconds=100))
    rotated = tokens.read(answer({"access_token": "new-access", "refresh_token": "new-refresh"}), LOGIN)
    assert isinstance(rotated, Tokens)
    assert (rotated.refresh_token, rotated.expires_at) == (Secret("new-refresh"), None)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_invalid_grant_is_an_expired_login(status: int) -> None:
    assert tokens.read(answer({"error": "invalid_grant"}, status), LOGIN) == Expired(user_id="anna", connection=3)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"error": "invalid_grant"}', 500),
        (b'{"error": "invalid_client"}', 401),
        (b"oops", 400),
        (b"{}", 200),
        (b"[]", 200),
        (b'{"access_token": ""}', 200),
        (b'{"access_token": "a\\nb"}', 200),
        (b"", 429),
    ],
)
def test_any_other_failure_of_the_token_endpoint_is_returned_not_raised(body: bytes, status: int) -> None:
    error = tokens.read(answer(body, status), LOGIN)
    assert isinstance(error, str)
    assert "token endpoint" in error


@pytest.mark.parametrize(
    ("life", "seconds"),
    [("43200", 43_200), ("x", 0), ([], 0), (None, None), (float("nan"), 0), (10**30, 315_360_000)],
    ids=str,
)
def test_of_a_token_answer_whatever_can_be_read_is_kept(life: Any, seconds: float | None) -> None:
    """The endpoint has forgotten the old refresh token already."""
    kept = tokens.read(answer({"access_token": "new-access", "refresh_token": "rotated", "expires_in": life}), LOGIN)
    assert isinstance(kept, Tokens)
    assert (kept.access_token, kept.refresh_token) == (Secret("new-access"), Secret("rotated"))
    assert kept.expires_at == (None if seconds is None else NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize("access", [None, "", 7, "a b"], ids=str)
def test_a_rotated_refresh_token_is_kept_also_without_an_access_token(access: Any) -> None:
    kept = tokens.read(answer({"access_token": access, "refresh_token": "rotated"}), LOGIN)
    assert isinstance(kept, Tokens)
    assert (kept.access_token, kept.refresh_token, kept.expires_at) == (None, Secret("rotated"), None)


def test_a_refresh_token_that_is_none_loses_no_access_token() -> None:
    kept = tokens.read(answer({"access_token": "new-access", "refresh_token": 7}), LOGIN)
    assert isinstance(kept, Tokens)
    assert (kept.access_token, kept.refresh_token) == (Secret("new-access"), None)


@pytest.mark.parametrize("seconds", [-1e300, 1e300, 0])
def test_a_strange_lifetime_breaks_nothing(seconds: float) -> None:
    kept = tokens.read(answer({"access_token": "new-access", "expires_in": seconds}), LOGIN)
    assert isinstance(kept, Tokens)
    assert kept.expires_at is not None
    assert kept.expires_at >= NOON
