"""What a request says and an answer holds, as values and text (authors.md, rule 9)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from core.parrot import Parrot
from msgspec import Struct
from msgspec.structs import replace
from sample_plugin import parrot_source

from pollctl import Answer, Duration, Request

URL = "http://127.0.0.1/words"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        (
            {"params": {"q": "a b&c", "n": 2, "no": None, "tag": ["x", "y"]}},
            {"url": f"{URL}?q=a+b%26c&n=2&tag=x&tag=y"},
        ),
        ({"url": f"{URL}?a=1#part", "params": {"b": 2}}, {"url": f"{URL}?a=1&b=2#part"}),
        ({"params": {}}, {"url": URL}),
        ({"json": {"a": [1, "ü"]}}, {"method": "POST", "body": b'{"a":[1,"\xc3\xbc"]}', "headers": JSON}),
        ({"json": None}, {"method": "POST", "body": b"null", "headers": JSON}),
        ({"json": {"every": Duration(seconds=90)}}, {"method": "POST", "body": b'{"every":"90s"}', "headers": JSON}),
        ({"form": {"a": "x y", "b": None}}, {"method": "POST", "body": b"a=x+y", "headers": FORM}),
        (
            {"json": 1, "method": "PATCH", "headers": {"content-type": "application/merge-patch+json"}},
            {"method": "PATCH", "body": b"1", "headers": {"content-type": "application/merge-patch+json"}},
        ),
    ],
)
def test_what_a_request_is_to_say_is_what_it_sends(given: dict[str, Any], becomes: dict[str, Any]) -> None:
    request = Request(**{"url": URL, **given})
    assert request == Request(**{"url": URL, **becomes})
    assert replace(request, tag=1).url == request.url


def test_a_request_sends_one_thing() -> None:
    with pytest.raises(ValueError, match="one of body, json and form"):
        Request(url=URL, json={}, body=b"x")


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("grün".encode(), "text/plain", "grün"),
        ("grün".encode("latin-1"), "text/html; charset=ISO-8859-1", "grün"),
        ("grün".encode("utf-8-sig"), "text/plain; charset=latin-1", "grün"),
        ("grün".encode("utf-16"), "", "grün"),
        (
            b'<html><meta charset="iso-8859-2">' + "ł".encode("iso-8859-2"),
            "text/html",
            '<html><meta charset="iso-8859-2">ł',
        ),
        (b"gr\xfcn", "text/plain; charset=nonesuch", "gr\ufffdn"),
        (b"x", "text/plain; charset=base64", "x"),
    ],
)
def test_an_answer_is_text_by_what_names_its_encoding_first(body: bytes, kind: str, text: str) -> None:
    assert answer(body, kind).text == text


class Reading(Struct):
    cm: float


def test_an_answer_is_read_as_json_of_a_type_strictly() -> None:
    assert answer(b'{"cm": 2}').json(Reading) == Reading(2.0)
    assert answer(b"[1]").json() == [1]
    with pytest.raises(ValueError, match="not acceptable JSON"):
        answer(b"NaN").json()


def answer(body: bytes, kind: str = "") -> Answer[None]:
    request: Request[None] = Request(url=URL)
    headers = {"content-type": kind}
    return Answer(request=request, status=200, headers=headers, body=body, started_at=datetime.now(UTC), elapsed_ms=1.0)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ("run.failed('a', 'dead', counts=False)", "partial"),
        ("run.failed('a', 'dead', counts=False); run.failed('b', 'dead')", "failed"),
        ("run.failed('a', 'dead'); run.failed('a', 'dead', counts=False)", "partial"),
        ("run.failed('a', 'dead')", "failed"),
    ],
)
def test_a_target_that_does_not_count_makes_no_pass_failed(parrot: Parrot, told: str, outcome: str) -> None:
    parrot.teach(parrot_source(fetch=f"(run):\n    {told}\n    yield from ()"))
    report = parrot.report(code=None)
    assert report["outcome"] == outcome
    assert "dead" in report["error"]["message"]
