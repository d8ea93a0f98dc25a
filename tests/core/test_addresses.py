"""Addresses of people: one reading for settings, commands and delivery (people.md 3)."""

from __future__ import annotations

import pytest
from apprise.utils.parse import parse_urls

from pollctl.addresses import read_addresses, split_addresses
from pollctl.redaction import Secret, mask

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of Apprise, which imports it
TEXTS = (
    "json://a/x",
    "json://a/x,json://b/y",
    "json://a/x, mailto://b?to=ann@example.net,bob@example.net ;xml://c",
    "  json://a/x\n tgram://123456789:abcdefg_hijklmnop/1 ",
    "json://a/x,json://a/x",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_split_as_apprise_splits_it(text: str) -> None:
    assert [one.reveal() for one in split_addresses(Secret(text))] == list(dict.fromkeys(parse_urls(text)))  # type: ignore[no-untyped-call]


def test_each_address_of_several_is_a_secret_of_its_own() -> None:
    split_addresses([Secret("json://first.example/x,json://second.example/y")])
    assert mask("it said json://second.example/y") == "it said ***"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nonsense-that-is-secret", "what was given"),
        ("json://a/x, pigeon://coop-that-is-secret", "pigeon://…"),
        ("", "what was given"),
        ("json://a/\x1b[31m", "json://…"),
    ],
    ids=["no scheme", "one of two is wrong", "nothing", "control characters"],
)
def test_what_is_no_address_is_refused_without_being_repeated(text: str, named: str) -> None:
    with pytest.raises(ValueError, match="is not an address that Apprise supports") as caught:
        read_addresses(text)
    assert str(caught.value).startswith(named)
    assert "secret" not in str(caught.value)


def test_what_is_valid_comes_as_secrets() -> None:
    assert read_addresses("json://a/x json://b/y") == [Secret("json://a/x"), Secret("json://b/y")]
