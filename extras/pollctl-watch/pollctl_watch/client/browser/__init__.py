"""Pages that scripts write: Chromium shows them, and each of its requests goes through the pass."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from pollctl import Answer, FetchError, retry_after
from pollctl_watch.client.browser.showing import PAGE_S, Patience, UnshownError, shown
from pollctl_watch.client.browser.visit import Send, Visit

if TYPE_CHECKING:
    from pollctl_watch.model import Asked

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ONE = threading.Lock()
"""One page at a time: each is a browser of its own."""


class Chromium(NamedTuple):
    """Which browser is started, and how many seconds the pass has left for a page; none once it is to end."""

    path: str = ""
    remaining: Callable[[], float] = lambda: PAGE_S


class MissingError(Exception):
    """There is nothing to show a page with."""


def executable(path: str) -> str:
    """The program that is started.

    Raises:
        MissingError: it, or what drives it, is not installed; says where it was looked for, and the remedy.
    """
    try:
        import playwright  # noqa: F401
    except ImportError:
        raise MissingError("browser = true needs the extra browser: pip install 'pollctl-watch[browser]'") from None
    found = shutil.which(path) if path else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        where = f"{path!r} is not a program" if path else f"none of {', '.join(_NAMES)} is in PATH"
        raise MissingError(
            f"browser = true needs Chromium: {where}; install it, or name it in [plugins.watch] chromium"
        )
    return found


def browse(asked: Asked, send: Send, chromium: Chromium) -> Answer:
    """The page as its scripts have made it, as HTML; an answer that is no page, is not read, or none at all, as it came."""
    visit = Visit(asked, send)
    first = visit.document()
    if not _is_to_be_shown(first, asked):
        return first
    try:
        program = executable(chromium.path)
        with _ONE:
            html = shown(visit, program, Patience(chromium.remaining))
    except MissingError as missing:
        return replace(first, status=0, body=b"", error=FetchError(kind="local", message=str(missing)))
    except UnshownError as error:
        return replace(first, status=0, body=b"", error=FetchError(kind=error.kind, message=f"{visit.host}: {error}"))
    headers = {"content-type": "text/html; charset=utf-8"}  # no validators: the same page may be made into another
    return replace(first, headers=headers, body=html.encode("utf-8", "replace"))


def _is_to_be_shown(answer: Answer, asked: Asked) -> bool:
    """Whether it is a page that is read, of a host that does not ask to be left alone."""
    if answer.error or answer.is_unchanged or not asked.watch.is_answer(answer):
        return False
    return "html" in answer.headers.get("content-type", "html") and not retry_after(answer, answer.started_at)
