"""One exchange over urllib3's connections: its one repeat, the addresses it is sent on to, and why it failed."""

from __future__ import annotations

import errno
import time
from contextlib import closing
from functools import partial

from urllib3 import HTTPResponse

from pollctl.api.values import FetchError, Request
from pollctl.concurrency.call import Call
from pollctl.http.body import whole_body
from pollctl.http.connection import Connection
from pollctl.http.cookies import CookieStore
from pollctl.http.errors import Reset, failure_of, fetch_error_of, unasked_interim
from pollctl.http.journey import Journey, Whole
from pollctl.http.limits import REPEATABLE, Limits
from pollctl.http.pool import Pool, proxy_headers
from pollctl.http.strict_response import INTERIM
from pollctl.urls import Address, Origin


class Exchange:
    """What is under way for one request, in a worker thread.

    Args:
        request: what to ask.
        limits: what holds where the request sets nothing of its own.
        pool: the connections of the pass.
        cookies: what keeps the cookies that redirects set; the exchange if None.
    """

    def __init__(self, request: Request, limits: Limits, pool: Pool, cookies: CookieStore | None = None) -> None:
        self._request = request
        self._limits = limits
        self._pool = pool
        self._cookies = cookies
        self._until = 0.0
        self._max_body = limits.max_body if request.max_body is None else request.max_body
        self._may_repeat = request.repeat and request.method in REPEATABLE
        self._connection: Connection | None = None
        self._is_cut = False

    def run(self, call: Call) -> Whole | FetchError:
        """Make the exchange."""
        call.on_cut = self._cut
        self._until = time.monotonic() + call.allowed
        journey: Journey | None = None
        try:
            journey = Journey(self._request, self._limits, self._cookies)
            whole = self._ask(journey)
            while journey.goes_on(whole):
                whole = self._ask(journey)
        except Exception as error:  # noqa: BLE001 - whatever one target does, the others are answered
            return fetch_error_of(error, journey.home.authority if journey else self._request.url, call.allowed)
        return whole

    def _ask(self, journey: Journey) -> Whole:
        """Ask once, or twice when a GET met a connection that was reset or closed before it answered."""
        proxy = self._proxy(journey.address.origin)
        take = partial(self._pool.take, journey.address.origin, proxy, journey.certificate, family=self._request.family)
        try:
            return self._once(take(), journey)
        except Exception as error:
            if not isinstance(failure_of(error), Reset) or not self._may_repeat or self._is_cut:
                raise
        self._may_repeat = False
        return self._once(take(fresh=True), journey)

    def _once(self, connection: Connection, journey: Journey) -> Whole:
        self._connection = connection
        is_reusable = False
        try:
            if not connection.is_used:
                self._connect(connection, journey)
            if self._is_cut:
                raise TimeoutError
            target, sent = _words(connection, journey)
            response = connection.ask(self._request.method, target, sent, self._request.body, self._until)
            whole = _whole(response, self._max_body, self._until)
            is_reusable = connection.is_reusable
        finally:
            self._connection = None
            self._pool.give(connection) if is_reusable and not self._is_cut else connection.close()
        return whole._replace(upstream=connection.address, url=journey.url)

    def _connect(self, connection: Connection, journey: Journey) -> None:
        try:
            connection.connect(self._until, was_redirected=journey.was_redirected)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._pool.clear():
                raise
            connection.connect(self._until, was_redirected=journey.was_redirected)  # the kept ones held what it needed

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


def _words(connection: Connection, journey: Journey) -> tuple[str, dict[str, str]]:
    """Target and headers as they go over the wire."""
    address, proxy = journey.address, connection.proxy
    if proxy and address.origin.scheme == "http":
        return f"http://{address.origin.authority}{address.target}", journey.words(proxy_headers(proxy))
    return address.target, journey.words()


def _whole(response: HTTPResponse, max_body: int, until: float) -> Whole:
    with closing(response):
        if response.status in INTERIM:
            raise unasked_interim(response.status)
        body = whole_body(response, max_body, until)
    headers = {name.lower(): value for name, value in response.headers.itermerged()}
    return Whole(response.status, headers, body, response.headers.getlist("set-cookie"))
