"""One page, and what it asks for: each of its requests is made by the pass."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from msgspec.structs import replace

from pollctl import Answer, FetchError, Request
from pollctl_watch.client import cookies

if TYPE_CHECKING:
    from pollctl_watch.model import Asked

LONGEST = 32 * 1024**2
"""Bytes of all answers of a page, and letters of the page that scripts make of them."""
_MOST_REQUESTS = 200
_QUIET_S = 0.5
_SHOWN_ONLY = frozenset({"image", "font", "media"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_NOT_SENT_ON = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})
_NOT_SENT_BACK = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})

Send = Callable[[Request], Answer]


class Visit:
    """One page, and what it may ask for: its own origin, and the hosts that its watch allows, as with redirects."""

    def __init__(self, asked: Asked, send: Send) -> None:
        self.url = asked.url
        self._asked, self._send = asked, send
        self._origin = urlsplit(asked.url)[:2]
        self._first: Answer | None = None
        self._cookies: dict[str, str] = {}
        self._size = self._requests = 0
        self._answered_at = 0.0

    @property
    def selector(self) -> str:
        """What must be there before the page is taken, if anything."""
        return self._asked.watch.select

    @property
    def host(self) -> str:
        """Whom the page comes from."""
        return urlsplit(self._asked.url).netloc.rpartition("@")[2]

    def is_quiet(self) -> bool:
        """Whether the page has asked for nothing for a while."""
        return time.monotonic() - self._answered_at > _QUIET_S

    def document(self) -> Answer:
        """The page itself, where redirects lead; ``url`` is then where it was."""
        answer = self._send(replace(self._asked, follow=False))
        followed = 0
        while (location := _location_of(answer)) and followed < _MOST_REDIRECTS:
            followed += 1
            if self._is_own(self.url):
                self._cookies |= cookies.set_by(answer)
            self.url = urljoin(self.url, location).partition("#")[0]
            if not self._may_ask(self.url):
                return self._lost(answer, "redirect to another host refused")
            answer = self._answer(Request(url=self.url, follow=False), self.url)
        if location:
            return self._lost(answer, f"more than {_MOST_REDIRECTS} redirects")
        self._first, self._origin = answer, urlsplit(self.url)[:2]
        return replace(answer, request=self._asked)

    def _lost(self, answer: Answer, why: str) -> Answer:
        return replace(
            answer, request=self._asked, status=0, error=FetchError(kind="redirect", message=f"{self.host}: {why}")
        )

    def answer(self, route: Any) -> None:
        """Answer one request of the page."""
        request = route.request
        first, self._first = self._first, None
        if first is not None and request.url.partition("#")[0] == self.url and request.is_navigation_request():
            self._fulfil(route, first)
            return
        self._first = first
        is_wanted = request.resource_type not in _SHOWN_ONLY and request.method in ("GET", "HEAD", "POST")
        if not is_wanted or not self._may_ask(request.url) or self._requests >= _MOST_REQUESTS or self._size > LONGEST:
            route.abort()
            return
        sent = Request(url=request.url, method=request.method, body=request.post_data_buffer)
        answer = self._answer(sent, request.url, request.all_headers())
        if answer.error:
            route.abort()
            return
        self._fulfil(route, answer)

    def _fulfil(self, route: Any, answer: Answer) -> None:
        headers = {name: value for name, value in answer.headers.items() if name not in _NOT_SENT_BACK}
        if "set-cookie" in headers:
            headers["set-cookie"] = "\n".join(cookies.lines_of(answer))  # as Playwright has several
        self._answered_at = time.monotonic()
        route.fulfill(status=answer.status, headers=headers, body=answer.body)

    def _answer(self, request: Request, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One exchange; what the watch sends along goes to its own origin alone."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        kept = {name: value for name, value in named.items() if name not in _NOT_SENT_ON and name[:1] != ":"}
        if self._is_own(url):
            own = {name.lower(): value for name, value in self._asked.headers.items()}
            jar = cookies.named(own.get("cookie", "")) | self._cookies | cookies.named(kept.get("cookie", ""))
            kept = {**own, **kept}
            if jar:
                kept["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        answer = self._send(replace(request, headers=kept, allow_hosts=self._asked.allow_hosts))
        self._requests += 1
        self._size += len(answer.body)
        if not self._is_own(url) and _is_link_local(answer.address):
            return replace(answer, error=FetchError(kind="redirect", message="a link-local address refused"))
        return answer

    def _is_own(self, url: str) -> bool:
        """Whether it is of the origin that the watch names."""
        return urlsplit(url)[:2] == urlsplit(self._asked.url)[:2]

    def _may_ask(self, url: str) -> bool:
        there, home = urlsplit(url), urlsplit(self._asked.url)
        if there[:2] in (home[:2], self._origin):
            return True
        is_safe = there.scheme == "https" or (there.scheme == "http" and home.scheme == "http")
        return is_safe and there.netloc.lower() in {host.lower() for host in self._asked.allow_hosts}


def _location_of(answer: Answer) -> str:
    """Where an answer leads; empty if it is no redirect."""
    return answer.headers.get("location", "") if answer.status in _REDIRECTS else ""


def _is_link_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_link_local
    except ValueError:
        return False
