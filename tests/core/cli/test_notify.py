"""`pollctl notify test`: whether messages arrive, address by address (people.md 8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from inbox import Inbox
from place import Place
from plugin_package import json_of


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_each_address_in_use_gets_a_message_and_its_answer_is_shown(place: Place, inbox: Inbox) -> None:
    place.settings(
        "[pollctl.notify]",
        f'urls = ["{inbox.json_url}/crew,{inbox.json_url}/gone-404"]',
        "[plugins.stockx_ops]",
        f'notify = ["{inbox.json_url}/shop", "{inbox.json_url}/crew"]',
    )
    rows = json_of(place.call("notify", "test", "--json"))
    assert [(row["where"], row["result"] == "ok") for row in rows] == [
        ("[pollctl.notify]", True),
        ("[pollctl.notify]", False),
        ("[plugins.stockx_ops]", True),
    ]
    assert [row["number"] for row in rows] == [1, 2, 1]
    assert "404" in rows[1]["result"]
    assert [request.path for request in inbox.requests] == ["/crew", "/gone-404", "/shop"]
    assert inbox.titles == ["pollctl: a test"] * 2
    text = place.do("notify", "test", code=1)
    assert "crew" not in text
    assert "gone" not in text


def test_addresses_may_be_named_and_all_well_is_exit_0(place: Place, inbox: Inbox) -> None:
    place.settings("[pollctl.notify]", f'urls = ["{inbox.json_url}/crew"]')
    assert "ok" in place.do("notify", "test", f"{inbox.json_url}/a,{inbox.json_url}/b", f"{inbox.json_url}/c")
    assert [request.path for request in inbox.requests] == ["/a", "/b", "/c"]


def test_a_plugin_tells_its_own_addresses_or_those_of_all(place: Place, inbox: Inbox) -> None:
    shop = f'[plugins.stockx_ops]\nnotify = ["{inbox.json_url}/shop"]'
    place.settings("[pollctl.notify]", f'urls = ["{inbox.json_url}/crew"]', shop, "[plugins.latency]")
    place.do("notify", "test", "--plugin", "stockx-ops")
    place.do("notify", "test", "--plugin", "latency")
    assert [request.path for request in inbox.requests] == ["/shop", "/crew"]


@pytest.mark.parametrize(
    "words", [(), ("nonsense",), ("--plugin", "nothing")], ids=["no address", "not one", "no such plugin"]
)
def test_what_cannot_be_tested_is_refused(place: Place, words: tuple[str, ...]) -> None:
    place.settings("")
    place.do("notify", "test", *words, code=2)
    assert "nonsense" not in place.stderr


def test_check_reads_the_addresses_of_a_section_as_delivery_does(place: Place) -> None:
    place.settings("[plugins.stockx_ops]", 'notify = ["json://127.0.0.1/a, pigeon://coop-that-is-secret"]')
    (text,) = [one["text"] for one in json_of(place.call("check", "--json")) if "notify" in one["text"]]
    assert text == "notify[1] is not an address that Apprise knows; see its list of services"
