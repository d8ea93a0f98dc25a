"""Answers of pages, what a watch reads of them, and settings of one watch."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pollctl import Answer, HttpUrl, Request
from pollctl_watch.client import read
from pollctl_watch.model import Seen, Watch

URL = HttpUrl("https://shop.example.net/bicycle")


def settings(*lines: str) -> str:
    """Of a watch that a buyer hears of, with further lines; more may be appended."""
    shared = ['notify = ["json://inbox/buyer"]', "[[watches]]", 'name = "bicycle"', f'url = "{URL}"', 'every = "5m"']
    return "\n".join([*shared, *lines, ""])


def watch(**keys: Any) -> Watch:
    return Watch(url=URL, name="bicycle", **keys)


def answer(body: str | bytes, media: str = "text/html", status: int = 200) -> Answer[None]:
    request: Request[None] = Request(url=URL)
    headers: Mapping[str, str] = {"content-type": media} if media else {}
    sent = body.encode() if isinstance(body, str) else body
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Answer(request=request, status=status, headers=headers, body=sent, started_at=at, elapsed_ms=1)


def seen(body: str | bytes, media: str = "text/html", status: int = 200, **keys: Any) -> Seen:
    return read(answer(body, media, status), watch(**keys))


def text(body: str | bytes, media: str = "text/html", **keys: Any) -> str:
    return seen(body, media, **keys).text
