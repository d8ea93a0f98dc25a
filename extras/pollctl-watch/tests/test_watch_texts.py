"""Texts that were kept, and what a selector gives now."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pages import URL, settings

from pollctl.testing import Bench

SETTINGS = settings("keep = 3")
PAGE = "<title>Shop</title><p>one<p>two<p>three<p>four<p class=price>899 €<p>five<p>six<p>seven<p>eight"


@pytest.fixture
def shop(bench: Callable[..., Bench]) -> Bench:
    return bench("watch", SETTINGS)


def after(shop: Bench, *pages: str) -> Bench:
    for page in pages:
        assert shop.answer(URL, page).at("+5m").run().outcome == "ok"
    return shop


def numbers(shop: Bench) -> list[Any]:
    return [
        (row["number"], row["begins"]) for row in json.loads(shop.command("watch", "snapshots", "bicycle", "--json"))
    ]


def test_the_last_texts_are_kept_each_once(shop: Bench) -> None:
    after(shop, "a", "a", "b", "a", "c", "d")
    assert numbers(shop) == [(1, "d"), (2, "c"), (3, "a")]


def test_texts_are_kept_where_the_condition_is_not_true(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", f'{SETTINGS}when = "number < 5"')
    assert numbers(after(shop, "9", "8", "8")) == [(1, "8"), (2, "9")]


def test_none_is_kept_where_none_is_wanted(bench: Callable[..., Bench]) -> None:
    shop = after(bench("watch", SETTINGS.replace("keep = 3", "keep = 0")), "a", "b")
    assert numbers(shop) == []
    assert shop.sql("SELECT * FROM watch_snapshots") == []


def test_texts_stay_with_a_watch_that_is_called_otherwise(shop: Bench) -> None:
    after(shop, "a", "b").settings(SETTINGS.replace('"bicycle"', '"bike"'))
    after(shop, "c")
    assert "-a\n+c" in shop.command("watch", "diff", "bike", "3", "1")


def test_two_texts_are_compared(shop: Bench) -> None:
    after(shop, "a<p>x", "b<p>x", "c<p>x")
    assert shop.command("watch", "diff", "bicycle").splitlines()[2:] == ["@@ -1,2 +1,2 @@", "-b", "+c", " x"]
    assert "-a\n+b" in shop.command("watch", "diff", "bicycle", "3", "2")
    shop.command("watch", "diff", "bicycle", "9", "1", code=2)
    shop.command("watch", "diff", "bycicle", code=2)


def test_a_watch_that_is_removed_takes_its_texts_along(bench: Callable[..., Bench]) -> None:
    shop = bench("watch")
    shop.command("watch", "add", URL, "--name", "bicycle")
    after(shop, "a").command("watch", "remove", "bicycle")
    assert shop.sql("SELECT * FROM watch_snapshots") == []


def test_look_shows_what_is_read_with_what_stands_around_it(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", f'{SETTINGS}select = ".price"\nwhen = "number < 900"').answer(URL, PAGE)
    assert shop.command("watch", "look", "bicycle").splitlines() == [
        "  two", "  three", "  four", "> 899 €", "  five", "  six", "  seven", "the number is 899 €", "number < 900: yes",
    ]  # fmt: skip
    assert not shop.rows().get("watch_targets")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--select", ".price"], "> 899 €"),
        (["--regex", r"(\d+) €"], "> 899"),
        (["--xpath", "//p[2]"], "> two"),
        (["--select", "b", "--when", "appears"], "(the selector matches nothing)\nappears: no"),
        (["--select", ".price", "--when", "contains '€'"], "contains '€': yes"),
        (["--when", "status != 200"], "> status 200\nstatus != 200: no"),
    ],
)
def test_a_selector_is_tried_without_saving(shop: Bench, words: list[str], shown: str) -> None:
    shop.answer(URL, PAGE)
    assert shown in shop.command("watch", "test", URL, *words)


@pytest.mark.parametrize(
    ("words", "code"), [(["--select", ".nonesuch"], 1), (["--when", "cheap"], 2), (["--select", "p", "--json", "a"], 2)]
)
def test_what_cannot_be_tried_says_why(shop: Bench, words: list[str], code: int) -> None:
    shop.answer(URL, PAGE).command("watch", "test", URL, *words, code=code)


def test_the_report_shows_how_texts_changed_last(shop: Bench) -> None:
    after(shop, "<p>one<p>two", "<p>one<p>three<p>" + "x" * 500, "<p>one<p>four")
    [section] = json.loads(shop.command("report", "--json"))["plugins"][0]["sections"]
    name, change = section["blocks"][-2:]
    assert name["body"] == "bicycle"
    assert change["form"] == "diff"
    assert {"-three", "+four"} <= set(change["body"].splitlines())
    assert max(map(len, change["body"].splitlines())) <= 200


def test_the_report_shows_no_change_of_what_was_read_once(shop: Bench) -> None:
    after(shop, "one", "one")
    [section] = json.loads(shop.command("report", "--json"))["plugins"][0]["sections"]
    assert [block["type"] for block in section["blocks"]] == ["KeyFigures", "Timeline", "Table", "Table"]


def test_the_report_compares_no_texts_of_two_selectors(bench: Callable[..., Bench]) -> None:
    page = "<p class=price>899 €<p class=name>{}"
    shop = after(bench("watch", f'{SETTINGS}select = ".price"'), page.format("Bike"))
    after(shop.settings(f'{SETTINGS}select = ".name"'), page.format("Bike"))
    assert "899" not in shop.command("report", "--json")
    after(shop, page.format("Bicycle"))
    assert "-[-Bike-]" in shop.command("report", "--json")
