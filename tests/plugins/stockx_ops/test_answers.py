"""What is asked about an operation, and what is read from whatever comes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pollctl import Answer, FetchError, Request, Secret
from pollctl_stockx_ops import tokens
from pollctl_stockx_ops.answers import hold_of, read, request_for, shown
from pollctl_stockx_ops.model import Expired, Reply, Settings, Tokens
from pollctl_stockx_ops.store import Due, Login

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
V2 = Settings(api_key=Secret("the-api-key"))
OPERATIONS = Settings(dialect="operations", api_key=Secret("the-api-key"))
DUE = Due("j1", 1, "anna", "op/1", "L 1", "2026")
LOGIN = Login("anna", 3, Secret("acc-token"), Secret("ref-token"), None)


def answer(body: Any = b"", status: int = 200, **more: Any) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    facts = {"request": Request(url="http://x/"), "started_at": NOON, "elapsed_ms": 7.0, **more}
    return Answer(status=status, body=content, **facts)


def said(body: Any = b"", status: int = 200, *, settings: Settings = V2, **more: Any) -> Reply:
    return read(answer(body, status, **more), DUE, LOGIN, NOON, settings)


def test_each_dialect_asks_its_own_address_with_both_credentials() -> None:
    due = DUE._replace(listing_id="L/1")
    asked = request_for(due, LOGIN, V2)
    assert asked.url == "https://api.stockx.com/v2/selling/listings/L%2F1/operations/op%2F1"
    assert (asked.headers["x-api-key"], asked.headers["Authorization"]) == ("the-api-key", "Bearer acc-token")
    assert request_for(due, LOGIN, OPERATIONS).url == "https://api.stockx.com/v2/operations/op%2F1"


@pytest.mark.parametrize("bad", ["", ".", "..", "a b", "a\nb", "é", "x" * 201])
def test_an_id_that_would_lead_elsewhere_is_not_asked_about(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot be asked about"):
        request_for(DUE._replace(operation_id=bad), LOGIN, OPERATIONS)


def test_the_published_dialect_is_read_updates_going_before_additions() -> None:
    body = {
        "operationStatus": "SUCCEEDED",
        "error": None,
        "changes": {
            "additions": {"active": True, "askData": {"amount": "200", "currency": "USD", "expiresAt": None}},
            "updates": {"updatedAt": "x", "askData": {"amount": "210", "expiresAt": "2027-01-01T00:00:00.000Z"}},
        },
    }
    reply = said(body)
    assert (reply.word, reply.amount, reply.currency_code) == ("SUCCEEDED", 210, "USD")
    assert reply.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (reply.trouble, reply.connection, reply.attempt) == ("", 3, 1)


def test_the_other_dialect_is_read_too() -> None:
    result = {"id": "L9", "status": "ACTIVE", "amount": 99, "currencyCode": "EUR", "expiresAt": "2027-01-01T00:00:00Z"}
    reply = said({"status": "completed", "result": result, "error": None}, settings=OPERATIONS)
    assert (reply.word, reply.listing_id, reply.amount, reply.currency_code) == ("completed", "L9", 99, "EUR")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (None, None, None),
        ("", None, None),
        ("too low", None, "too low"),
        ({"code": "LOW", "message": "too low"}, "LOW", "too low"),
        ({"code": 17}, "17", None),
        ({}, None, None),
    ],
)
def test_an_error_may_be_text_or_an_object(error: Any, code: str | None, message: str | None) -> None:
    reply = said({"operationStatus": "FAILED", "error": error})
    assert (reply.word, reply.error_code, reply.error_message) == ("FAILED", code, message)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"[]",
        b'"SUCCEEDED"',
        b"null",
        b"{}",
        b'{"operationStatus": null}',
        b'{"operationStatus": 7}',
        b'{"operationStatus": "SUCCEEDED", "operationStatus": "FAILED"}',
        b'{"operationStatus": "SUCCEEDED", "changes": []}',
        b'{"operationStatus": "SUCCEEDED", "x": NaN}',
        b'{"operationStatus": "SUCCEEDED", "x": 99999999999999999999}',
        b'{"operationStatus": "\\ud800"}',
        b'{"operationStatus": "SUCC\\u0000"}',
        b"\xff",
        b"[" * 100_000,
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"amount": "99.50"}}}}',
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"amount": -1}}}}',
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"amount": "1e400"}}}}',
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"amount": "NaN"}}}}',
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"expiresAt": "tomorrow"}}}}',
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"expiresAt": "9999-01-01T00:00:00Z"}}}}',
        b'{"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": {"currency": "; DROP"}}}}',
    ],
)
def test_a_200_that_is_not_what_it_should_be_is_trouble_never_an_end(body: bytes) -> None:
    reply = said(body)
    assert reply.trouble.startswith("unreadable answer")
    assert reply.word == ""


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([200, 201, 400, 404, 422, 429, 500, 503]))
def test_no_body_makes_reading_raise(body: bytes, status: int) -> None:
    reply = said(body, status)
    assert reply.trouble or reply.status == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "below the minimum"}', "below the minimum"),
        (b'{"error": {"code": "X", "message": "inner"}}', "inner"),
        (b'{"error": "plain"}', "plain"),
        (b'{"errorMessage": "other"}', "other"),
        (b"just text", "just text"),
        (b"<html>no</html>", None),
        (b"", None),
        (b'{"message": {"x": 1}}', None),
    ],
)
def test_the_message_of_a_refusal_comes_from_its_body(body: bytes, message: str | None) -> None:
    assert said(body, 422).error_message == message


def test_text_of_the_upstream_is_made_safe_and_holds_no_secret_of_ours() -> None:
    body = {"message": "\x1b[31mBearer acc-token of the-api-key and ref-token\x00".replace("\x00", "")}
    assert said(body, 403).error_message == "[31mBearer *** of *** and ***"
    assert len(shown("x" * 10_000)) == 500


def test_no_answer_is_trouble_that_says_why() -> None:
    gone = Answer(
        request=Request(url="http://x/"), started_at=NOON, elapsed_ms=1,
        error=FetchError(kind="timeout", message="no whole answer within 10 s"),
    )  # fmt: skip
    reply = read(gone, DUE, LOGIN, NOON, V2)
    assert (reply.status, reply.trouble) == (0, "no whole answer within 10 s")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        ("1.5", 1.5),
        ("100000000000000000000", 86400),
        ("Sun, 08 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 08 Mar 2026 11:00:00 GMT", 0),
        ("soon", None),
    ],
)
def test_every_form_of_retry_after_is_understood(header: str | None, seconds: float | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert said(b"", 429, headers=headers).retry_after_s == seconds
    hold = hold_of(answer(b"", 429, headers=headers), "host", NOON)
    assert (hold.until if hold else None) == (NOON + timedelta(seconds=seconds) if seconds else None)


def test_a_pause_counts_from_the_answer_where_the_clock_runs() -> None:
    late = answer(b"", 503, headers={"retry-after": "10"}, started_at=NOON + timedelta(seconds=3), elapsed_ms=500)
    hold = hold_of(late, "host", NOON)
    assert hold is not None
    assert hold.until == NOON + timedelta(seconds=13.5)


# tokens


def test_an_access_token_with_sixty_seconds_left_is_refreshed_and_one_with_more_is_not() -> None:
    def fresh(seconds: float) -> bool:
        return tokens.is_fresh(LOGIN._replace(expires_at=NOON + timedelta(seconds=seconds)), NOON)

    assert [fresh(60), fresh(60.001), fresh(-1)] == [False, True, False]
    assert not tokens.is_fresh(LOGIN._replace(access_token=None), NOON)


def test_the_refresh_is_the_form_that_the_endpoint_wants() -> None:
    request = tokens.request_for(LOGIN, Settings(client_id=Secret("me"), client_secret=Secret("s&cret")))
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
        (b'{"access_token": "a", "expires_in": "x"}', 200),
        (b"", 429),
    ],
)
def test_any_other_trouble_of_the_token_endpoint_is_told_not_raised(body: bytes, status: int) -> None:
    trouble = tokens.read(answer(body, status), LOGIN)
    assert isinstance(trouble, str)
    assert "token endpoint" in trouble


@pytest.mark.parametrize("seconds", [-1e300, 1e300, 0])
def test_a_strange_lifetime_breaks_nothing(seconds: float) -> None:
    kept = tokens.read(answer({"access_token": "new-access", "expires_in": seconds}), LOGIN)
    assert isinstance(kept, Tokens)
    assert kept.expires_at is not None
    assert kept.expires_at >= NOON
