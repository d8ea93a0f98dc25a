"""Asking for tokens and reading what comes, as RFC 6749 has it and as endpoints really answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from pollctl import Answer, FetchError, Request, Secret, oauth

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://login.example.net/token"


def answer(body: Any, status: int = 200, error: FetchError | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(
        request=Request(url=URL, method="POST"), status=status, body=raw, started_at=NOW, elapsed_ms=1, error=error
    )


def form_of(request: Request) -> dict[str, list[str]]:
    return parse_qs((request.body or b"").decode())


def test_client_credentials_are_asked_for_with_a_form() -> None:
    request = oauth.client_credentials(URL, Secret("me"), Secret("s3&cret"), scope="read write")
    assert (request.method, request.headers["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
    assert form_of(request) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["s3&cret"],
        "scope": ["read write"],
    }


def test_an_endpoint_that_wants_json_gets_an_object_with_numbers_as_numbers() -> None:
    request = oauth.client_credentials(URL, Secret("me"), Secret("s3&cret"), encoding="json", account_id=7)
    assert request.headers["Content-Type"] == "application/json"
    assert request.body == (
        b'{"grant_type": "client_credentials", "client_id": "me", "client_secret": "s3&cret", "account_id": 7}'
    )
    again = oauth.refresh(URL, Secret("me"), Secret("secret"), Secret("again"), encoding="json")
    assert json.loads(again.body or b"")["refresh_token"] == "again"


def test_a_refresh_carries_the_refresh_token() -> None:
    request = oauth.refresh(URL, Secret("me"), Secret("secret"), Secret("again"), audience="api")
    assert form_of(request)["refresh_token"] == ["again"]
    assert form_of(request)["audience"] == ["api"]


def test_a_grant_is_read_whole() -> None:
    body = {"access_token": "abc", "refresh_token": "def", "expires_in": 60, "instance": "https://x"}
    grant = oauth.read_grant(answer(body))
    assert grant.access_token.reveal() == "abc"
    assert grant.refresh_token == Secret("def")
    assert grant.expires_at == NOW + timedelta(seconds=60)
    assert grant.fields["instance"] == "https://x"


@pytest.mark.parametrize("given", [{}, {"refresh_token": None}, {"refresh_token": ""}], ids=str)
def test_without_a_refresh_token_the_old_one_stays(given: Any) -> None:
    assert oauth.read_grant(answer({"access_token": "abc", **given})).refresh_token is None


@pytest.mark.parametrize(
    ("given", "life"),
    [
        (None, None),
        (43200, timedelta(hours=12)),
        ("43200", timedelta(hours=12)),
        (1.5, timedelta(seconds=1.5)),
        (-5, timedelta()),
        (10**12, timedelta(days=1)),
    ],
)
def test_a_life_is_a_number_or_its_text_and_has_bounds(given: Any, life: timedelta | None) -> None:
    grant = oauth.read_grant(answer({"access_token": "abc", "expires_in": given}), longest=timedelta(days=1))
    assert grant.life == life


@pytest.mark.parametrize("given", ["soon", True, "nan", [1]])
def test_a_life_that_is_no_number_is_unknown_and_the_tokens_are_kept(given: Any) -> None:
    grant = oauth.read_grant(answer({"access_token": "abc", "refresh_token": "next", "expires_in": given}))
    assert (grant.life, grant.refresh_token) == (None, Secret("next"))


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ä", None, 5])
def test_what_is_not_a_token_is_refused(token: Any) -> None:
    with pytest.raises(oauth.TokenError, match="not a token"):
        oauth.read_grant(answer({"access_token": token}))


def test_a_refusal_has_its_code() -> None:
    with pytest.raises(oauth.TokenError, match=r"answered 400 \(invalid_grant\)") as raised:
        oauth.read_grant(answer({"error": "invalid_grant"}, 400))
    assert raised.value.code == "invalid_grant"


def test_a_server_error_needs_no_body() -> None:
    with pytest.raises(oauth.TokenError, match=r"answered 503$"):
        oauth.read_grant(answer(b"<html>", 503))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff", b"[" * 100_000])
def test_an_unreadable_body_says_so(body: bytes) -> None:
    with pytest.raises(oauth.TokenError, match="answered 200 with an unreadable body"):
        oauth.read_grant(answer(body))


def test_no_answer_says_why() -> None:
    with pytest.raises(oauth.TokenError, match="no answer within 20 s"):
        oauth.read_grant(answer(b"", 0, FetchError(kind="timeout", message="no answer within 20 s")))


@pytest.mark.parametrize("beside", [{}, {"access_token": ""}, {"access_token": "a b"}, {"access_token": 7}], ids=str)
def test_a_rotated_refresh_token_is_kept_where_there_is_no_access_token(beside: Any) -> None:
    with pytest.raises(oauth.TokenError, match="not a token") as raised:
        oauth.read_grant(answer({"refresh_token": "next", **beside}))
    assert raised.value.refresh_token == Secret("next")


def test_a_refresh_token_that_is_none_loses_no_access_token() -> None:
    grant = oauth.read_grant(answer({"access_token": "good", "refresh_token": ["odd"]}))
    assert (grant.access_token, grant.refresh_token) == (Secret("good"), None)


@pytest.mark.parametrize("beside", ['"user_id": 99999999999999999999', '"scope": NaN', '"a": 1, "a": 2'])
def test_what_a_strict_reader_refuses_beside_them_loses_no_tokens(beside: str) -> None:
    body = f'{{"access_token": "good", "refresh_token": "next", "expires_in": 60, {beside}}}'.encode()
    grant = oauth.read_grant(answer(body))
    assert (grant.access_token, grant.refresh_token, grant.life) == (
        Secret("good"),
        Secret("next"),
        timedelta(minutes=1),
    )
