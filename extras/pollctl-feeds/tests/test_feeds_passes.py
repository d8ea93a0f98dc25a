"""Whole passes, and the commands of feeds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from channels import URL, rss, settings

from pollctl.testing import Bench

SETTINGS = settings("most = 2")
OPML = """<?xml version="1.0"?><opml version="1.0"><head/><body>
<outline text="Sea"><outline type="rss" text="Tides" xmlUrl="https://tides.example.net/feed"/>
<outline text="Tides" xmlUrl="https://other.example.net/feed"/></outline>
<outline text="Harbour" xmlUrl="https://harbour.example.net/feed.xml"/>
<outline text="A folder without feeds"/>
<outline text="Secret" xmlUrl="https://ann:word@private.example.net/feed"/>
<outline text="Old" xmlUrl="feed://old.example.net/"/></body></opml>"""


def test_all_new_entries_of_a_feed_are_one_message(bench: Callable[..., Bench]) -> None:
    feeds = bench("feeds", SETTINGS).answer(URL, rss("a"))
    assert feeds.run().messages == []
    result = feeds.answer(URL, rss("d", "c", "b", "a")).at("+5m").run()
    [message] = result.messages
    assert message.title == "harbour: 3 pieces of news"
    assert message.body.splitlines()[:2] == ["harbour: c", "More of c."]
    assert "harbour: 1 more entry" in message.body
    assert feeds.at("+5m").run().messages == []


def test_a_page_in_the_place_of_a_feed_is_a_failure_that_says_so(bench: Callable[..., Bench]) -> None:
    result = bench("feeds", SETTINGS).answer(URL, "<h1>Please log in</h1>").run()
    assert (result.outcome, "it is not a feed" in result.error) == ("failed", True)


def test_a_redirect_goes_to_hosts_that_are_allowed(bench: Callable[..., Bench]) -> None:
    moved = {"Location": "https://new.example.net/feed.xml"}
    feeds = bench("feeds", f'{SETTINGS}allow_hosts = ["new.example.net"]').answer(URL, status=301, headers=moved)
    assert feeds.answer(moved["Location"], rss("a")).run().outcome == "ok"
    assert "refused" in feeds.settings(SETTINGS).at("+5m").run().error


def test_a_list_in_opml_is_taken_over_and_what_is_not_is_said(bench: Callable[..., Bench], tmp_path: Path) -> None:
    feeds = bench("feeds", SETTINGS)
    file = tmp_path / "feeds.opml"
    file.write_text(OPML)
    said = feeds.command("feeds", "import", str(file), code=3).splitlines()
    assert said[:2] == ["added Tides", "added Tides (other.example.net)"]
    assert [line.split(":")[:2] for line in said[2:]] == [["not taken over", " Secret"], ["not taken over", " Old"]]
    assert "word" not in "".join(said)
    assert feeds.command("feeds", "import", str(file), code=3).count("added") == 0


@pytest.mark.parametrize("text", ["<opml", "<html/>", ""])
def test_what_is_not_opml_is_refused(bench: Callable[..., Bench], tmp_path: Path, text: str) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(text)
    bench("feeds", SETTINGS).command("feeds", "import", str(file), code=2)


def test_an_entity_of_a_file_is_not_read(bench: Callable[..., Bench], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden")
    file = tmp_path / "feeds.opml"
    entity = f'<!DOCTYPE opml [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    file.write_text(
        f'{entity}<opml><body><outline text="a" xmlUrl="https://a.example.net/">&e;</outline></body></opml>'
    )
    feeds = bench("feeds", SETTINGS)
    feeds.command("feeds", "import", str(file))
    assert "hidden" not in feeds.command("feeds", "export")


def test_what_was_exported_can_be_imported(bench: Callable[..., Bench], tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    bench("feeds", SETTINGS.replace('"harbour"', '"A & B <c>"')).command("feeds", "export", str(file))
    assert bench("feeds").command("feeds", "import", str(file)) == "added A & B <c>\n"
