"""One exchange: the request, its one repeat, the redirects it follows, and why it failed."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import NamedTuple

from urllib3 import HTTPResponse
from urllib3.util import make_headers

from pollctl.api.values import FetchError, Request
from pollctl.concurrency.worker_pool import Call
from pollctl.http.body import whole_body
from pollctl.http.connection import Connection, Pool, proxy_headers
from pollctl.http.cookies import Cookies
from pollctl.http.errors import Failure, Reset, failure_of
from pollctl.http.limits import Limits
from pollctl.http.redirects import address_of, redirected
from pollctl.redaction import redact
from pollctl.urls import Address, Origin

MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_REPEATABLE = ("GET", "HEAD")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = ("content-length", "transfer-encoding", "connection")
_INTERIM = range(100, 200)
_HARMLESS = ("accept", "accept-language")  # what goes along to another origin


class Whole(NamedTuple):
    """An answer with its whole body; ``cookies`` are its Set-Cookie headers one by one, ``upstream`` is who sent it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = ()
    upstream: str = ""


class Exchange:
    """What is under way for one request, in a worker thread.

    Args:
        request: what to ask.
        limits: what holds where the request sets nothing of its own.
        pool: the connections of the pass.
    """

    def __init__(self, request: Request, limits: Limits, pool: Pool) -> None:
        self._request = request
        self._limits = limits
        self._pool = pool
        self._until = 0.0
        self._max_body = limits.max_body if request.max_body is None else request.max_body
        self._may_repeat = request.repeat and request.method in _REPEATABLE
        self._connection: Connection | None = None
        self._is_cut = False
        self._has_left_home = False

    def run(self, call: Call) -> Whole | FetchError:
        """Make the exchange."""
        call.on_cut = self._cut
        self._until = time.monotonic() + call.allowed
        origin: Origin | None = None
        try:
            origin = address_of(self._request.url).origin
            return self._follow()
        except Exception as error:  # noqa: BLE001 - whatever one target does, the others are answered
            failure = failure_of(error)
            what = f"no whole answer within {call.allowed:g} s" if failure.kind == "timeout" else str(failure)
            where = origin.authority if origin else self._request.url
            return FetchError(kind=failure.kind, message=redact(f"{where}: {what}"))

    def _follow(self) -> Whole:
        """Ask, and go where a GET is sent on to."""
        url, headers, cookies = self._request.url, self._headers(), Cookies()
        for _ in range(MOST_REDIRECTS + 1):
            address = address_of(url)
            self._has_left_home |= address.origin != address_of(self._request.url).origin
            whole = self._ask(address, cookies.added_to(headers, address))
            location = whole.headers.get("location", "")
            may_follow = self._request.follow and self._request.method in _REPEATABLE
            if whole.status not in _REDIRECTS or not location or not may_follow:
                return whole
            cookies.keep(address, whole.cookies)
            onward = redirected(url, location, self._request.allow_hosts)
            if address_of(onward).origin != address_of(url).origin:
                headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
            url = onward
        raise Failure("redirect", f"more than {MOST_REDIRECTS} redirects")

    def _ask(self, address: Address, headers: Mapping[str, str]) -> Whole:
        """Ask once, or twice when a GET met a connection that was reset or closed before it answered."""
        proxy = self._proxy(address.origin)
        certificate = self._limits.certificates.to_show(address.origin, has_left_home=self._has_left_home)
        take = partial(self._pool.take, address.origin, proxy, certificate, family=self._request.family)
        try:
            return self._once(take(), address, headers)
        except Exception as error:
            if not isinstance(failure_of(error), Reset) or not self._may_repeat or self._is_cut:
                raise
        self._may_repeat = False
        return self._once(take(fresh=True), address, headers)

    def _once(self, connection: Connection, address: Address, headers: Mapping[str, str]) -> Whole:
        self._connection = connection
        is_reusable = False
        try:
            if not connection.is_used:
                self._connect(connection)
            if self._is_cut:
                raise TimeoutError
            target, sent = self._words(connection, address, headers)
            response = connection.ask(self._request.method, target, sent, self._request.body, self._until)
            whole = _whole(response, self._max_body, self._until)
            is_reusable = connection.is_reusable
        finally:
            self._connection = None
            self._pool.give(connection) if is_reusable and not self._is_cut else connection.close()
        return whole._replace(upstream=connection.address)

    def _connect(self, connection: Connection) -> None:
        is_elsewhere = connection.origin != address_of(self._request.url).origin
        try:
            connection.connect(self._until, was_redirected=is_elsewhere)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._pool.clear():
                raise
            connection.connect(self._until, was_redirected=is_elsewhere)  # the kept ones held what it needed

    def _headers(self) -> dict[str, str]:
        """The request's headers, with credentials from its address or from ``.netrc`` when they name none."""
        headers = dict(self._request.headers)
        address = address_of(self._request.url)
        if any(name.lower() == "authorization" for name in headers):
            return headers
        userinfo = address.userinfo
        if not userinfo and self._limits.trust_env:
            from pollctl.http.environment import userinfo_for

            userinfo = userinfo_for(address.origin.host)
        return headers | (make_headers(basic_auth=userinfo.decode("latin-1")) if userinfo else {})

    def _words(
        self, connection: Connection, address: Address, headers: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        """Target and headers as they go over the wire."""
        own = {"Host": address.origin.authority, "User-Agent": self._limits.user_agent}
        own |= {"Accept": "*/*", "Accept-Encoding": "gzip"}
        target, proxy = address.target, connection.proxy
        if proxy and address.origin.scheme == "http":
            target = f"http://{address.origin.authority}{target}"
            own |= proxy_headers(proxy)
        names = {name.lower() for name in headers}
        sent = {name: value for name, value in own.items() if name.lower() not in names} | dict(headers)
        refuse_unsendable(self._request.method, sent)
        return target, sent

    def _proxy(self, origin: Origin) -> Address | None:
        if not self._limits.trust_env:
            return None
        from pollctl.http.environment import proxy_for

        return proxy_for(origin)

    def _cut(self) -> None:
        """Called in another thread: end what is under way."""
        self._is_cut = True
        if connection := self._connection:
            connection.shut()


def refuse_unsendable(method: str, headers: Mapping[str, str]) -> None:
    """Refuse what would not arrive as it is meant.

    Raises:
        Failure: ``protocol``.
    """
    if not _TOKEN.fullmatch(method):
        raise Failure("protocol", f"no HTTP method: {method!r}")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or _BAD_VALUE.search(value) or name.lower() in _FRAMING:
            raise Failure(
                "protocol", f"the header {name!r} cannot be sent: not a plain name and value, or not yours to set"
            )


def _whole(response: HTTPResponse, max_body: int, until: float) -> Whole:
    with closing(response):
        if response.status in _INTERIM:
            raise Failure("protocol", f"an interim answer ({response.status}) that was not asked for")
        body = whole_body(response, max_body, until)
    headers = {name.lower(): value for name, value in response.headers.itermerged()}
    return Whole(response.status, headers, body, response.headers.getlist("set-cookie"))
