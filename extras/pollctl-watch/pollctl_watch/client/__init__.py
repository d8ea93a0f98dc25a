"""What an answer holds: the text, and the number in it, that a watch asks for."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from pollctl import Answer, shorten
from pollctl_watch.client import documents, lines, markup
from pollctl_watch.client.charset import decoded
from pollctl_watch.client.numbers import number_in
from pollctl_watch.model import Page, Seen, Watch

LONGEST_PAGE = 1_000_000
"""Bytes of a page that goes along with a message."""
Reader = Callable[[Answer, Watch], list[str]]
_READERS: Mapping[str, Reader] = {
    "html": markup.html,
    "xml": markup.xml,
    "json": documents.json,
    "pdf": documents.pdf,
    "bytes": documents.size_and_hash,
    "text": lambda answer, _: [decoded(answer)],
}


def read(answer: Answer, watch: Watch) -> Seen:
    """What a watch compares, and the page itself where it is to go along.

    Raises:
        ValueError: it cannot be read, its selector matches nothing, or there is no number in it.
    """
    seen = _seen(answer, watch)
    return replace(seen, page=_page(answer, watch)) if watch.attach_page else seen


def _seen(answer: Answer, watch: Watch) -> Seen:
    condition = watch.condition
    if condition.kind == "status":
        return Seen(text=f"status {answer.status}", status=answer.status)
    found = lines.matches(_READERS[kind_of(answer, watch)](answer, watch), watch.regex)
    if not found and watch.selector:
        if condition.may_be_empty:
            return Seen(is_there=False)
        raise ValueError(f"nothing matches {watch.selector!r} in {described(answer)}")
    text = lines.cleaned(found, watch)
    number = number_in(text, watch.decimal) if condition.needs_number else None
    if condition.needs_number and number is None:
        raise ValueError(f"there is no number in {shorten(text, 80)!r}")
    return Seen(text=text, number=number)


def _page(answer: Answer, watch: Watch) -> Page:
    is_short = len(answer.body) <= LONGEST_PAGE
    packed = zlib.compress(answer.body) if is_short else b""
    return Page(kind=kind_of(answer, watch), size=len(answer.body), packed=packed)


def check_selectors(watch: Watch) -> None:
    """Read what a watch selects by, without a page.

    Raises:
        ValueError: a selector cannot be read.
    """
    markup.check_selectors([*watch.without, *filter(None, [watch.select])], watch.xpath)
    if watch.json:
        documents.check_expression(watch.json)


def kind_of(answer: Answer, watch: Watch) -> str:
    """As what an answer is read."""
    if watch.kind != "auto":
        return watch.kind
    if watch.json:
        return "json"
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if watch.select or kind in ("text/html", "application/xhtml+xml"):
        return "html"
    for name in ("json", "xml", "pdf"):
        if kind.endswith((f"/{name}", f"+{name}")):
            return name
    if watch.xpath or (not kind and answer.body.lstrip()[:1] == b"<"):
        return "html"
    return "text" if kind.startswith("text/") or not kind or b"\0" not in answer.body else "bytes"


def described(answer: Answer) -> str:
    """An answer in a few words: its title and its size."""
    title = markup.title_of(answer)
    size = f"{len(answer.body)} bytes"
    return f"the page {shorten(title, 80)!r} of {size}" if title else f"an answer of {size} without a title"
