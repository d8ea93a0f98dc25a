"""One page, and what it asks for: each of its requests is made by the pass."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from msgspec.structs import replace

from pollctl import Answer, FetchError, Request

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
        for _ in range(_MOST_REDIRECTS):
            location = answer.headers.get("location", "") if answer.status in _REDIRECTS else ""
            if not location:
                break
            self.url = urljoin(self.url, location).partition("#")[0]
            if not self._may_ask(self.url):
                error = FetchError(kind="redirect", message=f"{self.host}: redirect to another host refused")
                return replace(answer, status=0, error=error)
            answer = self._answer(Request(url=self.url, follow=False), self.url)
        self._first = answer
        self._origin = urlsplit(self.url)[:2]
        return answer

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
        self._answered_at = time.monotonic()
        route.fulfill(status=answer.status, headers=headers, body=answer.body)

    def _answer(self, request: Request, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One exchange; what the watch sends along goes to its own origin alone."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        kept = {name: value for name, value in named.items() if name not in _NOT_SENT_ON and name[:1] != ":"}
        if urlsplit(url)[:2] == urlsplit(self._asked.url)[:2]:
            own = {name.lower(): value for name, value in self._asked.headers.items()}
            jar = "; ".join(filter(None, (own.get("cookie"), kept.get("cookie"))))
            kept = {**own, **kept, **({"cookie": jar} if jar else {})}
        answer = self._send(replace(request, headers=kept, allow_hosts=self._asked.allow_hosts))
        self._requests += 1
        self._size += len(answer.body)
        if urlsplit(url)[:2] != urlsplit(self._asked.url)[:2] and _is_link_local(answer.address):
            return replace(answer, error=FetchError(kind="redirect", message="a link-local address refused"))
        return answer

    def _may_ask(self, url: str) -> bool:
        there, home = urlsplit(url), urlsplit(self._asked.url)
        if there[:2] in (home[:2], self._origin):
            return True
        is_safe = there.scheme == "https" or (there.scheme == "http" and home.scheme == "http")
        return is_safe and there.netloc.lower() in {host.lower() for host in self._asked.allow_hosts}


def _is_link_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_link_local
    except ValueError:
        return False
