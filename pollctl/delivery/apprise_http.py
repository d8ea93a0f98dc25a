"""HTTP as Apprise makes it, by pollctl's own client and under the settings of ``[pollctl.http]``.

Apprise calls the functions of requests, each of which opens a session of its own that reads ``.netrc`` and the proxy variables,
knows the public authorities alone, reads whatever comes and waits as it likes. While one of our messages is being sent, such a
session is one of ours: requests only words the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
import requests.api
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.redaction import shorten

if TYPE_CHECKING:
    from pollctl.config.schema import Http

_LONGEST_ANSWER = 2000  # characters of a refusal that are looked at
_OF_THE_WIRE = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding"})
"""Headers that are the client's to set."""


class Exchanges:
    """What HTTP means for one message: the settings, and what went wrong on the way.

    Args:
        http: the settings.
        timeout: seconds for each exchange.
    """

    def __init__(self, http: Http, timeout: float) -> None:
        self.client = _client(_Settings(http))
        self.timeout = timeout
        self.failures: list[str] = []


_exchanges: ContextVar[Exchanges | None] = ContextVar("exchanges", default=None)


@contextmanager
def made_by(exchanges: Exchanges) -> Iterator[None]:
    """While a message is sent in this context, whatever calls the functions of requests does so under our settings."""
    api: Any = requests.api
    api.sessions = SimpleNamespace(Session=_session)  # in any other context it makes what it made before
    token = _exchanges.set(exchanges)
    try:
        yield
    finally:
        _exchanges.reset(token)
        exchanges.client.close()


class _Settings:
    """Settings as the key of what is made for them: the same where they are equal."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Settings) and self.http == other.http

    def __hash__(self) -> int:
        return hash(self.http.ca_file)


@lru_cache(maxsize=1)
def _client(settings: _Settings) -> Client:
    """One for all messages: reading the authorities takes longer than sending a message."""
    return Client(Limits.of(settings.http), stop=Stop())


def _session() -> requests.Session:
    exchanges = _exchanges.get()
    return requests.Session() if exchanges is None else _Session(exchanges)


class _Session(requests.Session):
    def __init__(self, exchanges: Exchanges) -> None:
        super().__init__()
        self.trust_env = False  # the client sees to that
        self._exchanges = exchanges
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(exchanges))

    def request(self, method: Any, url: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        response = super().request(method, url, **{**more, "allow_redirects": False})
        if not response.ok and (said := shorten(response.text[:_LONGEST_ANSWER])):
            self._exchanges.failures.append(f"It said: {said}")
        return response


class _Adapter(BaseAdapter):
    """Makes the exchanges of a session."""

    def __init__(self, exchanges: Exchanges) -> None:
        super().__init__()
        self._exchanges = exchanges

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Make one; Apprise's own wishes for proxies, time limits and verification do not count."""
        answer = self._exchanges.client.send(
            Request(
                url=request.url or "",
                method=request.method or "GET",
                headers=_headers(request),
                body=_body(request),
                timeout=self._exchanges.timeout,
            )
        )
        if answer.error:
            self._exchanges.failures.append(answer.error.message)
            raise requests.ConnectionError(answer.error.message, request=request)
        return _response(answer, request)

    def close(self) -> None:
        """Nothing: connections belong to the client."""


def _headers(request: requests.PreparedRequest) -> Mapping[str, str]:
    named: Mapping[str, Any] = request.headers
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in named.items()
        if name.lower() not in _OF_THE_WIRE
    }


def _body(request: requests.PreparedRequest) -> bytes | None:
    body: Any = request.body
    if hasattr(body, "read"):
        body = body.read()
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else b"".join(body)


def _response(answer: Answer, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = answer.body  # noqa: SLF001 - there is no public way to give one a body
    response.encoding = get_encoding_from_headers(response.headers)
    response.request, response.url = request, request.url or ""
    try:
        response.reason = HTTPStatus(answer.status).phrase
    except ValueError:
        response.reason = ""
    return response
