"""What feeds of all kinds hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from pollctl import Answer, HttpUrl, Request
from pollctl_feeds.client import plain, read
from pollctl_feeds.model import Feed

URL = HttpUrl("https://blog.example.net/feed")


def answer(body: str | bytes, headers: Mapping[str, str] | None = None) -> Answer[None]:
    sent = body.encode() if isinstance(body, str) else body
    at = datetime(2026, 3, 2, tzinfo=UTC)
    request: Request[None] = Request(url=URL)
    return Answer(request=request, status=200, headers=headers or {}, body=sent, started_at=at, elapsed_ms=1)


def entries(body: str | bytes, headers: Mapping[str, str] | None = None, **keys: Any) -> list[Any]:
    return read(answer(body, headers), Feed(url=URL, **keys))


RSS_2 = """<?xml version="1.0"?><rss version="2.0"><channel><title>b</title><item><guid isPermaLink="false">7</guid>
<link>https://blog.example.net/7</link><title>Salt &amp;amp; light</title><category>Sea</category><author>Ann</author>
<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two &lt;b&gt;three&lt;/b&gt;&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description>
</item></channel></rss>"""
RSS_091 = """<rss version="0.91"><channel><title>b</title><item><title>Salt &amp; light</title>
<link>https://blog.example.net/7</link><description>One</description></item></channel></rss>"""
RSS_1 = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="https://blog.example.net/"><title>b</title></channel><item rdf:about="https://blog.example.net/7">
<title>Salt &amp; light</title><link>https://blog.example.net/7</link></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>b</title><entry><id>tag:blog,7</id><title>Salt &amp; light</title>
<link href="/7"/><link rel="enclosure" href="/7.mp3"/><content type="html">One</content></entry></feed>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "b", "items": [{"id": 7, "title": "Salt & light",
"url": "https://blog.example.net/7", "content_html": "<p>One</p>", "tags": ["Sea"], "authors": [{"name": "Ann"}]}]}"""


@pytest.mark.parametrize(
    "body", [RSS_2, RSS_091, RSS_1, ATOM, JSON], ids=["RSS 2", "RSS 0.91", "RSS 1", "Atom", "JSON Feed"]
)
def test_every_kind_of_feed_is_read(body: str) -> None:
    [entry] = entries(body, {"content-location": "https://blog.example.net/"})
    assert (entry.title, entry.url) == ("Salt & light", "https://blog.example.net/7")


def test_text_is_plain_with_its_paragraphs_as_lines() -> None:
    [entry] = entries(RSS_2)
    assert (entry.text, entry.author, entry.categories) == ("One\ntwo three", "Ann", ["Sea"])


def test_an_entry_is_known_by_its_id_else_by_its_link_else_by_title_and_date() -> None:
    def key(item: str) -> str:
        [entry] = entries(f"<rss version='2.0'><channel><item>{item}</item></channel></rss>")
        return str(entry.key)

    by_id, by_link = "<guid isPermaLink='false'>7</guid>", "<link>https://blog.example.net/7</link>"
    date = "<pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate>"
    assert key(f"{by_id}{by_link}<title>a</title>") == key(f"{by_id}<title>b</title>")
    assert key(f"{by_link}<title>a</title>") == key(f"{by_link}<title>b</title>{date}")
    assert key(f"<title>a</title>{date}<description>x</description>") == key(f"<title>a</title>{date}")
    assert key(f"<title>a</title>{date}") != key("<title>a</title>")
    assert key(by_link) != key(by_id)


def test_an_entry_that_stands_there_twice_is_one() -> None:
    item = "<item><guid>7</guid><title>a</title></item>"
    assert len(entries(f"<rss version='2.0'><channel>{item}{item}</channel></rss>")) == 1


@pytest.mark.parametrize(("text", "length"), [("none", 0), ("excerpt", 300), ("full", 4000)])
def test_how_much_of_an_entry_is_read_is_a_setting(text: str, length: int) -> None:
    item = f"<item><guid>7</guid><description>{'word ' * 2000}</description></item>"
    [entry] = entries(f"<rss version='2.0'><channel>{item}</channel></rss>", text=text)
    assert len(entry.text) == length


def test_an_entry_without_a_title_is_called_by_its_first_words() -> None:
    [entry] = entries("<rss version='2.0'><channel><item><description>Fog today</description></item></channel></rss>")
    assert entry.title == "Fog today"


def test_the_charset_of_the_header_and_that_of_the_document_hold() -> None:
    title = "<rss version='2.0'><channel><item><title>Grüße</title></item></channel></rss>"
    latin = f"<?xml version='1.0' encoding='iso-8859-1'?>{title}".encode("latin-1")
    by_header = {"content-type": "application/rss+xml; charset=windows-1252"}
    assert [entries(latin)[0].title, entries(title.encode("cp1252"), by_header)[0].title] == ["Grüße"] * 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            "<html><title>Login</title></html>",
            "it is not a feed: 33 bytes of no type, '<html><title>Login</title></html>'",
        ),
        ("", "it is not a feed: 0 bytes"),
        ('{"version": "2"}', "it is JSON, but not a JSON Feed"),
        ("{", "JSON"),
        ("<rss version='2.0'><channel><item>", "the feed is broken"),
        ("/etc/hostname", "it is not a feed"),
    ],
)
def test_what_is_not_a_feed_says_what_it_is(body: str, why: str) -> None:
    with pytest.raises(ValueError, match=why[:40]) as raised:
        entries(body)
    assert why in str(raised.value)


def test_a_feed_with_a_fault_in_it_is_read_as_far_as_it_goes() -> None:
    assert len(entries("<rss version='2.0'><channel><item><title>Salt & light</title></item></channel></rss>")) == 1


def test_an_address_that_no_browser_should_open_is_left_out() -> None:
    [entry] = entries('{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "url": "javascript:x()"}]}')
    assert entry.url == ""


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b", "a\nb"),
        ("<style>p {}</style>a", "a"),
        ("1 &lt; 2", "1 < 2"),
        ("<!-- x -->", ""),
        ("<script>" * 20_000, ""),
    ],
)
def test_html_becomes_lines(html: str, text: str) -> None:
    assert plain(html) == text
