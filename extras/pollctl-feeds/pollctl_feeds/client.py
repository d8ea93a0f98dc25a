"""What an answer holds: entries of RSS, Atom or JSON Feed, as plain text."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from msgspec import Struct

from pollctl import Answer, shorten
from pollctl_feeds.model import Entry, Feed

LONGEST = {"none": 0, "excerpt": 300, "full": 4000}
_LINES = frozenset(["blockquote", "br", "div", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "pre", "tr"])


class _Author(Struct, frozen=True):
    name: str = ""


class _Item(Struct, frozen=True):
    """As https://www.jsonfeed.org/version/1.1 has it."""

    id: str | int | float = ""
    url: str = ""
    external_url: str = ""
    title: str = ""
    summary: str = ""
    content_text: str = ""
    content_html: str = ""
    date_published: str = ""
    tags: list[str] = []
    authors: list[_Author] = []


class _JsonFeed(Struct, frozen=True):
    version: str
    items: list[_Item] = []


def read(answer: Answer, feed: Feed) -> list[Entry]:
    """All entries of a feed, each once, in its order.

    Raises:
        ValueError: it is not a feed.
    """
    most = LONGEST[feed.text]
    is_json = answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    found = _of_json(answer, most) if is_json else _of_xml(answer, most)
    return list({one.key: one for one in found}.values())


def _of_json(answer: Answer, most: int) -> Iterator[Entry]:
    feed: _JsonFeed = answer.json(_JsonFeed)
    if "jsonfeed.org" not in feed.version:
        raise ValueError(f"it is JSON, but not a JSON Feed: its version is {shorten(feed.version, 60)!r}")
    for one in feed.items:
        url = one.url or one.external_url
        text = html.escape(one.content_text) or one.content_html or html.escape(one.summary)
        by = ", ".join(author.name for author in one.authors if author.name)
        yield _entry(str(one.id), url, html.escape(one.title), one.date_published, text, by, one.tags, most)


def _of_xml(answer: Answer, most: int) -> Iterator[Entry]:
    import feedparser

    # a stream, because bytes are taken for the name of a file
    parsed = feedparser.parse(io.BytesIO(answer.body), response_headers=dict(answer.headers))
    if not parsed.get("version"):
        kind = answer.headers.get("content-type", "") or "no type"
        raise ValueError(f"it is not a feed: {len(answer.body)} bytes of {kind}, {shorten(answer.text, 60)!r}")
    items = [one for one in parsed.entries if one]
    if parsed.bozo and not items:
        raise ValueError(f"the feed is broken: {shorten(str(parsed.bozo_exception), 120)}")
    for one in items:
        date = one.get("published", "") or one.get("updated", "")
        tags = [tag.label or tag.term for tag in one.get("tags", []) if tag.label or tag.term]
        link = one.get("link", "")
        yield _entry(one.get("id", ""), link, one.get("title", ""), date, _text(one), one.get("author", ""), tags, most)


def _text(entry: Any) -> str:
    """Its content, or its summary where there is none; as HTML."""
    contents = [one.value for one in entry.get("content", []) if one.value]
    return str(contents[0] if contents else entry.get("summary", ""))


def _entry(id: str, url: str, title: str, date: str, text: str, author: str, tags: list[str], most: int) -> Entry:  # noqa: A002
    known_by = f"id {id}" if id else f"link {url}" if url else f"title {title} {date}"
    words, said = plain(text), shorten(plain(title), 200)
    return Entry(
        key=sha256(known_by.encode()).hexdigest()[:20],
        title=said or shorten(words, 80) or shorten(url, 200) or "an entry without a title",
        url=url if url.startswith(("http://", "https://")) else "",
        text=words if len(words) <= most else f"{words[: most - 1]}…" if most else "",
        author=author,
        categories=tags,
    )


def plain(text: str) -> str:
    """HTML as lines of text."""
    from lxml import etree  # type: ignore[import-untyped]
    from lxml.html import fragment_fromstring  # type: ignore[import-untyped]

    if not text.strip():
        return ""
    pieces: list[str] = []
    walk = etree.iterwalk(fragment_fromstring(" ".join(text.split()), create_parent=True), events=("start", "end"))
    for event, element in walk:
        if event == "start":
            is_text = element.tag not in ("script", "style")
            pieces.append((element.text or "") if is_text else "")
            if not is_text:
                walk.skip_subtree()
        else:
            pieces += ["\n" if element.tag in _LINES else "", element.tail or ""]
    return "\n".join(filter(None, (" ".join(line.split()) for line in "".join(pieces).splitlines())))
