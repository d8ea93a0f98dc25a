"""What is read from whatever comes back about an operation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.stockx_ops.place import NOON

from pollctl import Answer, FetchError, Request, Secret
from pollctl_stockx_ops.client.fields import safe_text
from pollctl_stockx_ops.client.responses import hold_of, read
from pollctl_stockx_ops.model import DueJob, Login, Response, Settings

V2 = Settings(api_key=Secret("the-api-key"))
OPERATIONS = Settings(dialect="operations", api_key=Secret("the-api-key"))
JOB = DueJob("j1", 1, "anna", "op/1", "L 1", "2026")
LOGIN = Login("anna", 3, Secret("acc-token"), Secret("ref-token"), None)


def answer(body: Any = b"", status: int = 200, **more: Any) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    facts = {"request": Request(url="http://x/"), "started_at": NOON, "elapsed_ms": 7.0, **more}
    return Answer(status=status, body=content, **facts)


def response_to(body: Any = b"", status: int = 200, *, settings: Settings = V2, **more: Any) -> Response:
    return read(answer(body, status, **more), JOB, LOGIN, NOON, settings)


def test_the_published_dialect_is_read_updates_going_before_additions() -> None:
    body = {
        "operationStatus": "SUCCEEDED",
        "error": None,
        "changes": {
            "additions": {"active": True, "askData": {"amount": "200", "currency": "USD", "expiresAt": None}},
            "updates": {"updatedAt": "x", "askData": {"amount": "210", "expiresAt": "2027-01-01T00:00:00.000Z"}},
        },
    }
    response = response_to(body)
    assert (response.word, response.amount, response.currency_code) == ("SUCCEEDED", 210, "USD")
    assert response.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (response.error, response.connection, response.attempt) == ("", 3, 1)


def test_the_other_dialect_is_read_too() -> None:
    result = {"id": "L9", "status": "ACTIVE", "amount": 99, "currencyCode": "EUR", "expiresAt": "2027-01-01T00:00:00Z"}
    response = response_to({"status": "completed", "result": result, "error": None}, settings=OPERATIONS)
    assert (response.word, response.listing_id, response.amount, response.currency_code) == (
        "completed",
        "L9",
        99,
        "EUR",
    )


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
    response = response_to({"operationStatus": "FAILED", "error": error})
    assert (response.word, response.error_code, response.error_message) == ("FAILED", code, message)


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
        b'{"operationStatus": "SUCCEEDED", "x": NaN}',
        b'{"operationStatus": "\\ud800"}',
        b'{"operationStatus": "SUCC\\u0000"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_200_that_is_not_what_it_should_be_is_an_error_never_an_end(body: bytes) -> None:
    response = response_to(body)
    assert response.error.startswith("unreadable answer")
    assert response.word == ""


# rule 4: the word decides

KEPT = {"amount": "250", "currency": "USD", "expiresAt": "2027-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("ask", "warning"),
    [
        ({**KEPT, "amount": "129.5"}, "the amount '129.5' is not one of whole units"),
        ({**KEPT, "amount": 150.5}, "the amount 150.5 is not one of whole units"),
        ({**KEPT, "amount": -1}, "the amount -1 is not one of whole units"),
        ({**KEPT, "amount": "1e400"}, "the amount '1e400' is not one of whole units"),
        ({**KEPT, "amount": "NaN"}, "the amount 'NaN' is not one of whole units"),
        ({**KEPT, "amount": 10**30}, "is not one of whole units"),
        ({**KEPT, "amount": True}, "the amount True is not a number"),
        ({**KEPT, "amount": {"value": 1}}, "is not a number"),
        ({**KEPT, "currency": "; DROP"}, "'; DROP' is not a valid currency code"),
        ({**KEPT, "currency": 840}, "the currency 840 is not text"),
        ({**KEPT, "expiresAt": "tomorrow"}, "tomorrow"),
        ({**KEPT, "expiresAt": "2027-01-01T00:00:00"}, "names no zone"),
        ({**KEPT, "expiresAt": "9999-01-01T00:00:00Z"}, "is not within the years 2000 to 2299"),
        ({**KEPT, "expiresAt": 1798761600}, "the moment 1798761600 is not text"),
    ],
    ids=str,
)
def test_a_field_that_cannot_be_read_is_left_out_with_a_warning_and_hides_no_other(ask: Any, warning: str) -> None:
    response = response_to({"operationStatus": "SUCCEEDED", "changes": {"updates": {"askData": ask}}})
    assert (response.word, response.error, len(response.unread)) == ("SUCCEEDED", "", 1)
    assert warning in response.unread[0]
    read = [response.amount, response.currency_code, response.expires_at]
    assert [value for value in read if value is not None] == [
        value
        for name, value in zip(KEPT, (250, "USD", datetime(2027, 1, 1, tzinfo=UTC)), strict=True)
        if ask[name] == KEPT[name]
    ]


@pytest.mark.parametrize(
    ("beside", "warning"),
    [
        ('"changes": []', "changes is not an object"),
        ('"changes": {"additions": 7}', "additions is not an object"),
        ('"changes": {"updates": {"askData": "x"}}', "askData is not an object"),
        ('"error": {"reason": "x"}', "the error holds no text"),
        ('"error": true', "the error holds no text"),
        ('"changes": {"updates": {"askData": {"amount": 1, "amount": 2}}}', "the amount [1, 2] is not a number"),
    ],
)
def test_a_shape_that_cannot_be_read_is_left_out_with_a_warning(beside: str, warning: str) -> None:
    response = response_to(f'{{"operationStatus": "SUCCEEDED", {beside}}}'.encode())
    assert (response.word, response.error, response.unread) == ("SUCCEEDED", "", [warning])


@pytest.mark.parametrize(
    "beside",
    [
        '"x": 99999999999999999999',
        f'"x": {"[" * 80}{"]" * 80}',
        '"x": 1, "x": 2',
        '"x": "\\u0000"',
        '"error": "\\ud800"',
    ],
)
def test_what_is_not_looked_at_hides_no_word(beside: str) -> None:
    response = response_to(f'{{"operationStatus": "SUCCEEDED", {beside}}}'.encode())
    assert (response.word, response.error, response.unread) == ("SUCCEEDED", "", [])


def test_the_other_dialects_fields_are_read_one_by_one_too() -> None:
    result = {"id": 7, "amount": 150.5, "currencyCode": "EUR"}
    response = response_to({"status": "completed", "result": result}, settings=OPERATIONS)
    assert (response.word, response.currency_code, response.listing_id) == ("completed", "EUR", None)
    assert response.unread == ["the listing id 7 is not text", "the amount 150.5 is not one of whole units"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (["Variant not eligible"], "Variant not eligible"),
        (["one", {"message": "two"}, 3], "one; two"),
        ([], None),
        ({}, None),
    ],
    ids=str,
)
def test_an_error_may_be_a_list(error: Any, text: str | None) -> None:
    response = response_to({"operationStatus": "FAILED", "error": error})
    assert (response.word, response.error_message, response.unread) == ("FAILED", text, [])


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([200, 201, 400, 404, 422, 429, 500, 503]))
def test_no_body_makes_reading_raise(body: bytes, status: int) -> None:
    response = response_to(body, status)
    assert response.error or response.status == 200


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
    assert response_to(body, 422).error_message == message


def test_text_of_the_upstream_is_made_safe_and_holds_no_secret_of_ours() -> None:
    body = {"message": "\x1b[31mBearer acc-token of the-api-key and ref-token\x00".replace("\x00", "")}
    assert response_to(body, 403).error_message == "[31mBearer *** of *** and ***"
    assert len(safe_text("x" * 10_000)) == 500


def test_no_answer_is_an_error_that_says_why() -> None:
    gone = Answer(
        request=Request(url="http://x/"), started_at=NOON, elapsed_ms=1,
        error=FetchError(kind="timeout", message="no whole answer within 10 s"),
    )  # fmt: skip
    response = read(gone, JOB, LOGIN, NOON, V2)
    assert (response.status, response.error) == (0, "no whole answer within 10 s")


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
    assert response_to(b"", 429, headers=headers).retry_after_s == seconds
    hold = hold_of(answer(b"", 429, headers=headers), "host", NOON)
    assert (hold.until if hold else None) == (NOON + timedelta(seconds=seconds) if seconds else None)


def test_a_pause_counts_from_the_answer_where_the_clock_runs() -> None:
    late = answer(b"", 503, headers={"retry-after": "10"}, started_at=NOON + timedelta(seconds=3), elapsed_ms=500)
    hold = hold_of(late, "host", NOON)
    assert hold is not None
    assert hold.until == NOON + timedelta(seconds=13.5)
