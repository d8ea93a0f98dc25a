"""Whole passes on a bench: a real database, a clock that stands, a fake internet and an inbox."""

from collections.abc import Callable

import pytest
from pages import URL, settings

from pollctl.testing import Bench

SETTINGS = settings('select = ".price"', "alert_after = 1")


def page(price: str) -> str:
    return f"<title>The shop</title><p class=price>{price}</p>"


def test_the_buyer_hears_of_a_price_once_when_it_has_fallen(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", f'{SETTINGS}when = "number < 800"')
    told = [shop.answer(URL, page(price)).at("+5m").run().messages for price in ("899 €", "799 €", "780 €")]
    assert [[message.title for message in messages] for messages in told] == [[], ["bicycle: 899 € → 799 €"], []]
    assert told[1][0].body.splitlines() == ["@@ -1 +1 @@", "-[-899-] €", "+{+799+} €", "(number < 800)", URL]


def test_a_login_in_the_place_of_the_page_is_a_failure_that_names_it(bench: Callable[..., Bench]) -> None:
    result = bench("watch", SETTINGS).answer(URL, "<title>Log in</title>").run()
    assert result.outcome == "failed"
    assert "nothing matches '.price' in the page 'Log in' of 21 bytes" in result.messages[0].body


def test_a_failure_in_between_changes_nothing_of_what_is_compared(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", f'{SETTINGS}when = "number < 800"').answer(URL, page("899"))
    shop.run()
    shop.answer(URL, status=500).at("+5m").run()
    titles = [message.title for message in shop.answer(URL, page("799")).at("+5m").run().messages]
    assert any("899 → 799" in title or "pieces of news" in title for title in titles)


def test_a_status_that_is_waited_for_is_no_failure(bench: Callable[..., Bench]) -> None:
    settings = SETTINGS.replace('select = ".price"', 'when = "status != 200"')
    shop = bench("watch", settings).answer(URL, page("899"))
    shop.run()
    result = shop.answer(URL, status=503).at("+5m").run()
    assert (result.outcome, [message.title for message in result.messages]) == (
        "ok",
        ["bicycle: status 200 → status 503"],
    )


def test_another_condition_begins_with_a_silent_look(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", f'{SETTINGS}when = "number < 700"').answer(URL, page("799"))
    shop.run()
    assert shop.settings(f'{SETTINGS}when = "number < 800"').at("+5m").run().messages == []


def test_a_watch_is_added_by_a_command(bench: Callable[..., Bench]) -> None:
    shop = bench("watch").answer(URL, page("899"))
    shop.command("watch", "add", URL, "--select", ".price", "--when", "number < 800", "--name", "bicycle")
    assert shop.run().outcome == "ok"
    shop.command("watch", "add", URL, "--when", "cheap", code=2)


@pytest.mark.parametrize("words", [["--select", "p["], ["--xpath", "//["], ["--json", "]"], ["--without", "p["]])
def test_a_selector_that_cannot_be_read_is_refused(bench: Callable[..., Bench], words: list[str]) -> None:
    bench("watch").command("watch", "add", URL, *words, code=2)


def test_check_names_selectors_that_cannot_be_read(bench: Callable[..., Bench]) -> None:
    assert "'p[' is not a CSS selector" in bench("watch", SETTINGS.replace(".price", "p[")).command("check", code=None)
