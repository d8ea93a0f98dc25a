"""What upstreams write and what of it may be shown: Retry-After, redaction, strict JSON (reliability, "Hostile upstreams")."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollctl.api.values import Answer, Request
from pollctl.http.retry_after import retry_after
from pollctl.redaction import redact
from pollctl.untrusted_json import strict_json

NOW = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def answer(text: str | None, status: int = 429) -> Answer:
    headers = {} if text is None else {"retry-after": text}
    return Answer(
        request=Request(url="http://example.net/"), status=status, headers=headers, started_at=NOW, elapsed_ms=1
    )


WAITS = {
    "120": timedelta(minutes=2),
    " 7 ": timedelta(seconds=7),
    "0": timedelta(),
    "-5": timedelta(),
    "+5": timedelta(seconds=5),
    "1.5": timedelta(seconds=1.5),
    "86400": DAY,
    "86401": DAY,
    str(10**20): DAY,
    "9" * 5000: DAY,
    "Sun, 08 Mar 2026 07:10:00 GMT": timedelta(minutes=10),
    "Sunday, 08-Mar-26 07:10:00 GMT": timedelta(minutes=10),
    "Sun Mar  8 07:10:00 2026": timedelta(minutes=10),
    "Sun, 08 Mar 2026 07:10:00 +0100": timedelta(),
    "Sun, 08 Mar 2026 06:59:59 GMT": timedelta(),
    "Thu, 01 Jan 1970 00:00:00 GMT": timedelta(),
    "Fri, 31 Dec 9999 23:59:59 GMT": DAY,
    "": None,
    "soon": None,
    "NaN": None,
    "inf": None,
    "1e3": None,
    "5, 10": None,
    "٣": None,
    "0x10": None,
    "Sun, 99 Mar 2026 07:10:00 GMT": None,
    "Fri, 31 Dec 9999 23:59:59 -2359": None,
    "\x1b[31m": None,
}


@pytest.mark.parametrize(("text", "wait"), WAITS.items(), ids=[text[:30] for text in WAITS])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_clamped_to_a_day(text: str, wait: timedelta | None, status: int) -> None:
    assert retry_after(answer(text, status), NOW) == wait


@pytest.mark.parametrize(("text", "status"), [(None, 429), ("5", 200), ("5", 500), ("5", 301)])
def test_without_a_retry_after_that_counts_there_is_none(text: str | None, status: int) -> None:
    assert retry_after(answer(text, status), NOW) is None


@given(st.text())
def test_no_retry_after_ever_raises_or_leaves_its_bounds(text: str) -> None:
    wait = retry_after(answer(text), NOW.astimezone(timezone(timedelta(hours=5))))
    assert wait is None or timedelta() <= wait <= DAY


# --- redaction

SHOWN = {
    "http://me:hunter2@example.net/a": "http://***@example.net/a",
    "http://hunter2@example.net/a": "http://***@example.net/a",
    "http://me:hunt@er2@example.net/": "http://***@example.net/",
    "https://example.net/a?apikey=hunter2&b=c": "https://example.net/a?apikey=***&b=c",
    "https://example.net/a?b=c&access_token=hunter2#d": "https://example.net/a?b=c&access_token=***#d",
    "https://example.net/a?X-Amz-Signature=hunter2&x=1": "https://example.net/a?X-Amz-Signature=***&x=1",
    "https://example.net/cb#id_token=hunter2": "https://example.net/cb#id_token=***",
    "https://hc.example.net/ping/0b5e32d6-5b1c-4a41-9d47-6f1d7a1f9f10/start": "https://hc.example.net/ping/***/start",
    "https://hooks.example.net/services/T01AB/B01CD/xY7hunter2hunter2hunter2": "https://hooks.example.net/services/T01AB/B01CD/***",
    "https://example.net/eyJhbGciOi.eyJzdWIi.sig": "https://example.net/***",
    "Authorization: Bearer hunter2": "Authorization: Bearer ***",
    "{'authorization': 'Basic aHVudGVyMg=='}": "{'authorization': 'Basic ***'}",
    '{"apikey": "hunter2"}': '{"apikey": "***"}',
    "X-Api-Key: hunter2": "X-Api-Key: ***",
    "sent Bearer hunter2hunter2": "sent Bearer ***",
    "Set-Cookie: sid=hunter2; Path=/": "Set-Cookie: ***; Path=/",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items(), ids=SHOWN)
def test_secrets_in_addresses_and_headers_are_masked(text: str, shown: str) -> None:
    assert redact(f"it failed: {text}") == f"it failed: {shown}"


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:8080: no whole answer within 10 s",
        "https://example.net/courses.json?year=2026&term=1&campus=NB",
        "https://example.net/v1/introduction-to-computing/sections",
        "KeyError: 'base_url'",
        "mail me@example.net at 10:30",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_what_is_redacted_always_prints_on_one_line(text: str) -> None:
    assert redact(text).isprintable()


def test_redaction_takes_no_longer_than_the_text_deserves() -> None:
    began = time.monotonic()
    for text in (
        "http://" * 20_000,
        "?" + "a" * 100_000,
        "https://x/" + "a-" * 50_000,
        "token" * 20_000,
        "x:" * 50_000,
    ):
        redact(text)
    assert time.monotonic() - began < 3


# --- JSON

REFUSED = {
    "empty": b"",
    "spaces": b"  \n",
    "HTML with 200": b"<!doctype html><title>Sign in</title>",
    "truncated": b'{"a":1',
    "two documents": b"{}{}",
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "1e999": b'{"a":1e999}',
    "invalid UTF-8": b'{"a":"\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "lone high surrogate": b'{"a":"\\ud800 b"}',
    "lone low surrogate": b'{"a":"\\udc00 b"}',
    "raw NUL": b'{"a":"\x00"}',
    "escaped NUL": b'{"a":"b\\u0000c"}',
    "escaped NUL in a key": b'{"\\u0000":1}',
    "control character": b'{"a":"\x1b[31m"}',
    "integer of 2^63": b'{"a":9223372036854775808}',
    "integer below -2^63": b'{"a":-9223372036854775809}',
    "integer of 2^64": b"[18446744073709551616]",
    "integer of 5,000 digits": b"[" + b"1" * 5000 + b"]",
    "100,000 lists deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 lists deep, unclosed": b"[" * 100_000,
    "100,000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "70 lists deep": b"[" * 70 + b"]" * 70,
    "single quotes": b"{'a':1}",
    "comment": b"{} // x",
}


@pytest.mark.parametrize("unique_keys", [True, False])
@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_json_that_would_fail_later_is_refused_now(body: bytes, unique_keys: bool) -> None:
    with pytest.raises(ValueError, match=r"^not acceptable JSON: ") as refused:
        strict_json(body, unique_keys=unique_keys)
    assert len(str(refused.value)) < 120
    assert str(refused.value).isprintable()


class Section(msgspec.Struct):
    index: str
    seats: int = 0
    more: Any = None


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"x"',
        b'{"index":12345}',
        b'{"seats":1}',
        b'{"index":"1","seats":9223372036854775808}',
        b'{"index":"1\\u0000"}',
        b'{"index":"1","seats":1.5}',
        b'{"index":"1","index":"2"}',
        b'{"index":"1","unknown":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["list", "null", "text", "wrong type", "missing", "2^63", "NUL", "fraction", "key twice", "deep where unknown"],
)
def test_json_of_another_type_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not acceptable JSON: "):
        strict_json(body, Section)


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'[{"b":{"c":1,"d":2,"c":3}}]', b'{"a":1,"\\u0061":2}'])
def test_a_key_named_twice_is_refused_unless_the_caller_does_not_mind(body: bytes) -> None:
    with pytest.raises(ValueError, match="names a key twice"):
        strict_json(body)
    assert strict_json(body, unique_keys=False) == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00"]} ',
        b"[9223372036854775807, -9223372036854775808, 0.1234567890123456789012]",
        b'{"a":"\\\\u0000", "b":"12345678901234567890", "c":"[[{{"}',
        b"[" * 60 + b"]" * 60,
    ],
    ids=["empty", "mixed", "largest integers", "harmless lookalikes", "60 deep"],
)
@pytest.mark.parametrize("unique_keys", [True, False])
def test_json_that_is_sound_is_read(body: bytes, unique_keys: bool) -> None:
    assert strict_json(body, unique_keys=unique_keys) == json.loads(body)


_TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _FLOATS | _TEXTS
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=30)


@given(_VALUES)
def test_whatever_json_can_say_soundly_is_read_as_it_was_written(value: Any) -> None:
    assert strict_json(json.dumps(value).encode()) == value
    assert strict_json(json.dumps(value).encode(), unique_keys=False) == value


@given(st.binary())
def test_no_body_raises_anything_else(body: bytes) -> None:
    with suppress(ValueError):
        strict_json(body)


def test_20_mb_into_a_struct_stay_cheap_when_keys_need_not_be_unique() -> None:
    row = b'{"index":"01234","seats":12,"title":"Introduction to [something]","notes":"' + b"x" * 200 + b'"},'
    body = b"[" + row * (20 * 1024**2 // len(row)) + row[:-1] + b"]"
    tracemalloc.start()
    rows = strict_json(body, list[Section], unique_keys=False)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) > 70_000
    assert peak < kept + 10 * 1024**2
