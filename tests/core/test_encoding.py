"""Secrets are masked while values are encoded, never in the encoded text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from pollctl import units
from pollctl.encoding import encoded, masked
from pollctl.redaction import Secret
from pollctl.units import Duration, HttpUrl, Size

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Colour(Enum):
    RED = "red-1234"


@dataclass
class Point:
    x: int
    name: str


class Pair(NamedTuple):
    left: str
    right: int


class Everything(Struct, frozen=True, tag=True, rename="camel"):
    a_text: str = "plain"
    number: float = 1.5
    moment: datetime = datetime(2026, 3, 8, 12, 34, tzinfo=UTC)
    span: Duration = Duration(minutes=1234)
    size: Size = Size(2048)
    address: HttpUrl = HttpUrl("http://host/1.234")
    zone: ZoneInfo = ZoneInfo("UTC")
    path: Path = Path("/var/lib")
    money: Decimal = Decimal("1234.5")
    colour: Colour = Colour.RED
    raw: bytes = b"\xff\x00bytes"
    point: Point = msgspec.field(default_factory=lambda: Point(1234, "home"))
    pair: Pair = Pair("left", 1234)
    table: dict[int, list[Any]] = msgspec.field(default_factory=lambda: {1234: [None, True, {"x": ("y",)}]})
    members: frozenset[int] = frozenset({1234})


def test_a_value_without_secrets_is_encoded_as_it_was_before() -> None:
    assert encoded(Everything()) == msgspec.json.encode(Everything(), enc_hook=units.encode).decode()


@given(JSON)
def test_whatever_holds_no_secret_is_the_same_afterwards(value: Any) -> None:
    assert json.loads(encoded(value)) == json.loads(msgspec.json.encode(value))


def test_a_secret_of_digits_breaks_no_number_moment_or_id() -> None:
    Secret("1234")
    Secret("2026")
    value = {
        "number": 1234,
        "float": 51234.5,
        "text": "no 1234 here",
        "at": "2026-03-08T12:34:00.123Z",
        "run": "20260308T065900.123Z-9f3ac21b",
        "key 1234": datetime(2026, 1, 1, tzinfo=UTC),
    }
    assert json.loads(encoded(value)) == {
        "number": 1234,
        "float": 51234.5,
        "text": "no *** here",
        "at": "2026-03-08T12:34:00.123Z",
        "run": "20260308T065900.123Z-9f3ac21b",
        "key ***": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    "secret", ['say "hi"', "back\\slash", "new\nline", "ünïcode", "tab\there", "</script>", "true"]
)
def test_a_secret_that_is_spelt_otherwise_in_json_is_found(secret: str) -> None:
    Secret(secret)
    text = encoded({"said": f"they said {secret}.", "list": [secret], secret: True})
    assert json.loads(text) == {"said": "they said ***.", "list": ["***"], "***": True}


def test_a_secret_is_found_wherever_a_text_can_stand() -> None:
    Secret("hunter2")
    value = Everything(
        a_text="hunter2",
        address=HttpUrl("http://host/?q=hunter2"),
        path=Path("/home/hunter2"),
        raw=b"\xff hunter2",
        point=Point(1, "hunter2"),
        pair=Pair("hunter2", 1),
        table={1: ["hunter2", {"hunter2": ("hunter2",)}]},
    )
    text = encoded({"value": value, "raw": Raw(b'{"a": "hunter2"}'), "set": {"hunter2"}})
    assert "hunter2" not in text
    assert text.count("***") == 10
    assert json.loads(text)["value"]["raw"] == "/yAqKio="


def test_names_of_fields_and_tags_stay_whatever_the_secrets_are() -> None:
    for word in ("Everything", "aText", "a_text", "number"):
        Secret(word)
    assert {"type", "aText", "number"} <= set(json.loads(encoded(Everything())))
    assert json.loads(encoded(Everything()))["type"] == "Everything"


def test_names_of_columns_stay_where_rows_are_shown() -> None:
    Secret("plugin")
    Secret("Wort-7")
    row = {"plugin": "plugin", "Wort-7": 1}
    assert masked(row, keeps_names=True) == {"plugin": "***", "***": 1}


def test_what_is_given_is_not_changed() -> None:
    Secret("hunter2")
    value = Everything(a_text="hunter2", table={1: ["hunter2"]})
    masked(value)
    assert (value.a_text, value.table) == ("hunter2", {1: ["hunter2"]})


def test_a_login_in_an_address_is_masked_though_nobody_read_it_as_a_secret() -> None:
    assert masked(["json://anna:geheim@host/x", "http://host/a@b"]) == ["json://***@host/x", "http://host/a@b"]
