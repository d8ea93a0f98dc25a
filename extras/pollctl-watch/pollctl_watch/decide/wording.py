"""How people are told what has changed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from html import escape

from pollctl import Attachment, shorten
from pollctl.targets import News
from pollctl_watch.decide.difference import as_html, as_text, difference
from pollctl_watch.model import Condition, Page, Remembered, Seen, Watch

MOST = 4096
"""Bytes of a message: title, difference and link."""
_AT_LEAST = 500
_SHORT = 60
_ENDINGS: Mapping[str, str] = {"text": "txt", "bytes": "bin"}


def news_of(before: Remembered, now: Seen, watch: Watch) -> News:
    """What people are told of a change."""
    title = changed_title(watch.title, before, now, watch.condition)
    notes = list(_notes(now, watch))
    link = watch.address
    said = [title, *notes, link, *([link] if watch.format == "html" else [])]  # there it is said and linked to
    room = max(_AT_LEAST, MOST - sum(len(_written(one, watch).encode("utf-8", "replace")) + 40 for one in said))
    changes = difference(before.text, now.text, as_html if watch.format == "html" else as_text, room)
    return News(
        title,
        _body(changes, notes, watch),
        level=watch.condition.level,
        format=watch.format,
        attach=_attached(now.page, watch),
    )


def _notes(now: Seen, watch: Watch) -> Iterator[str]:
    if watch.condition.kind not in ("changed", "changes by"):
        yield f"({watch.when})"
    if now.page and not now.page.packed:
        yield f"(the page of {now.page.size / 1e6:.1f} MB is too long to go along)"


def _written(text: str, watch: Watch) -> str:
    return escape(text) if watch.format == "html" else text


def _body(changes: str, notes: list[str], watch: Watch) -> str:
    if watch.format == "text":
        return "\n".join(filter(None, (changes, *notes)))
    shown = f'<pre style="white-space:pre-wrap">{changes}</pre>' if changes else ""
    return "\n".join(filter(None, (shown, *(f"<p>{escape(note)}</p>" for note in notes))))


def _attached(page: Page | None, watch: Watch) -> tuple[Attachment, ...]:
    """The page as it was read, under the name of its watch."""
    if page is None or not page.packed:
        return ()
    name = re.sub(r"[^\w.-]+", "-", watch.title).strip("-.")[:_SHORT] or "page"
    return (Attachment(f"{name}.{_ENDINGS.get(page.kind, page.kind)}", zlib.decompress(page.packed)),)


def changed_title(title: str, before: Remembered, now: Seen, condition: Condition) -> str:
    """What has happened, in one line: old and new where they are short."""
    if condition.kind == "appears":
        return f"{title}: it is there" + (f", {shorten(now.text, _SHORT)}" if now.text else "")
    if condition.kind == "disappears":
        return f"{title}: it is gone" + (f", it was {shorten(before.text, _SHORT)}" if before.text else "")
    if condition.kind in ("contains", "missing"):
        return f"{title}: {condition.kind} {condition.words!r}"
    old, new = (str(one.number) if one.number else one.text for one in (before, now))
    is_short = all("\n" not in one and len(one) <= _SHORT for one in (old, new))
    return f"{title}: {old or 'nothing'} → {new or 'nothing'}" if is_short else f"{title} has changed"
