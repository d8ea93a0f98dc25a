"""The words in which people are told news."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal, NamedTuple

from pollctl import Attachment, Level, counted
from pollctl.targets.target import News

MOST_ATTACHED = 5_000_000
"""Bytes that go along with one message; what does not fit is left out, and the message says so."""
_LEVELS: Sequence[Level] = ("info", "success", "warning", "failure")
Format = Literal["text", "markdown", "html"]


class Words(NamedTuple):
    """One message."""

    title: str
    body: str
    level: Level
    format: Format
    attach: list[Attachment]


def message(heading: str, news: Sequence[tuple[News, str]]) -> Words:
    """All of some news in one message.

    Args:
        heading: what the title says it is about where there are several.
        news: each with the address of its target.
    """
    level = max((one.level for one, _ in news), key=_LEVELS.index)
    form = _format_of([one for one, _ in news])
    attach = _fitting(file for one, _ in news for file in one.attach)
    left_out = sum(len(one.attach) for one, _ in news) - len(attach)
    title = news[0][0].title if len(news) == 1 else f"{heading}: {counted(len(news), 'piece')} of news"
    blocks = [_block(one, address, form, is_titled=len(news) > 1) for one, address in news]
    if left_out:
        blocks.append(
            f"{counted(left_out, 'file')} left out: more than {MOST_ATTACHED // 1_000_000} MB do not go along"
        )
    return Words(title, "\n\n".join(blocks), level, form, attach)


def _format_of(news: Sequence[News]) -> Format:
    """That of all news; of several HTML, which can show the others as they are, else text."""
    forms = {one.format for one in news}
    if len(forms) == 1:
        return forms.pop()
    return "html" if "html" in forms else "text"


def _fitting(files: Iterable[Attachment]) -> list[Attachment]:
    found, size = [], 0
    for one in files:
        if size + len(one.content) <= MOST_ATTACHED:
            found.append(one)
            size += len(one.content)
    return found


def _block(news: News, address: str, form: Format, *, is_titled: bool) -> str:
    """What a message says of one piece of news."""
    title, url = news.title if is_titled else "", news.url or address
    if form != "html":
        return "\n".join(filter(None, (title, news.body, url)))
    body = news.body if news.format == "html" else _as_it_is(news.body)
    return "\n".join(filter(None, (f"<h3>{escape(title)}</h3>" if title else "", body, _link(url))))


def _link(url: str) -> str:
    """An address in HTML: only that of a page is a link, no script."""
    shown = escape(url)
    if url.lower().startswith(("http://", "https://")):
        return f'<p><a href="{shown}">{shown}</a></p>'
    return f"<p>{shown}</p>" if url else ""


def _as_it_is(text: str) -> str:
    """Text in HTML: its lines stay lines."""
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>' if text else ""
