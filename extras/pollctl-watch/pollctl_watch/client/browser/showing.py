"""A page in a Chromium of its own, and what its scripts have made of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from pollctl import shorten
from pollctl_watch.client.browser.visit import LONGEST, Visit

PAGE_S = 30.0
"""How long a page may take with all that it asks for."""
_LATE_S = 5.0
"""How long is waited for what comes late: until nothing is asked for any more, and the selector finds something."""
_LOOK_AGAIN_MS = 100
_ALONE = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
)
"""So that Chromium reaches nothing by itself, be it by a web socket."""


class UnshownError(Exception):
    """Why a page cannot be shown."""

    def __init__(self, kind: Any, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Patience:
    """How long a page may still take."""

    def __init__(self, remaining: Callable[[], float]) -> None:
        self._remaining = remaining
        self._until = time.monotonic() + PAGE_S

    @property
    def left_ms(self) -> float:
        """Milliseconds; more than none.

        Raises:
            UnshownError: there are none.
        """
        if (of_pass := self._remaining()) <= 0:
            raise UnshownError("stopped", "the pass came to its end")
        if (of_page := self._until - time.monotonic()) <= 0:
            raise UnshownError("timeout", f"the page was not there within {PAGE_S:g} s")
        return min(of_pass, of_page) * 1000

    def wait(self, page: Any, is_over: Callable[[], object], seconds: float = PAGE_S) -> None:
        """Wait for something, no longer than *seconds*, and looking again and again whether the pass goes on."""
        until = time.monotonic() + seconds
        while not is_over() and time.monotonic() < until:
            page.wait_for_timeout(min(_LOOK_AGAIN_MS, self.left_ms))


def shown(visit: Visit, program: str, patience: Patience) -> str:
    """The page in a browser of its own, which ends with this.

    Raises:
        UnshownError: it did not come to an end in time, or cannot be shown.
    """
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path=program,
                chromium_sandbox=os.geteuid() != 0,  # it refuses to have one for root
                args=_ALONE,
                proxy={"server": "http://127.0.0.1:1", "bypass": "<-loopback>"},
                timeout=patience.left_ms,
            )
            try:
                return _content(visit, browser, patience)
            finally:
                browser.close()
    except Error as error:
        raise UnshownError("raised", f"Chromium: {shorten(str(error), 200)}") from error


def _content(visit: Visit, browser: Any, patience: Patience) -> str:
    context = browser.new_context(service_workers="block", accept_downloads=False)
    context.route("**/*", visit.answer)
    page = context.new_page()
    loaded: list[object] = []
    page.once("load", lambda _: loaded.append(page))
    page.goto(visit.url, wait_until="commit", timeout=patience.left_ms)
    patience.wait(page, lambda: loaded)
    patience.wait(page, visit.is_quiet, _LATE_S)
    if visit.selector:
        patience.wait(page, lambda: _is_there(page, visit.selector), _LATE_S)
    html = _html(page, patience)
    if len(html) > LONGEST:
        raise UnshownError("too_large", f"the page has more than {LONGEST // 1024**2} MiB")
    return f"<!doctype html><html>{html}</html>"


def _is_there(page: Any, selector: str) -> bool:
    from playwright.sync_api import TimeoutError  # noqa: A004 - Playwright's

    try:
        page.wait_for_selector(selector, state="attached", timeout=_LOOK_AGAIN_MS)
    except TimeoutError:
        return False
    return True


def _html(page: Any, patience: Patience) -> str:
    """What is in the page now; its scripts may leave no time to say so."""
    from playwright.sync_api import TimeoutError  # noqa: A004 - Playwright's

    try:
        return str(page.locator("html").inner_html(timeout=min(_LATE_S * 1000, patience.left_ms)))
    except TimeoutError as error:
        raise UnshownError("timeout", f"its scripts did not come to rest within {_LATE_S:g} s") from error
