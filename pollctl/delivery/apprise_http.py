"""HTTP as Apprise makes it, by pollctl's own client and under the settings of ``[pollctl.http]``.

Apprise calls the functions of requests, each of which opens a session of its own that reads ``.netrc`` and the proxy variables,
knows the public authorities alone, reads whatever comes and waits as it likes. While one of our messages is being sent, such a
session is one of ours: requests only words the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
import requests.api

from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.http.session import Session
from pollctl.redaction import shorten

if TYPE_CHECKING:
    from pollctl.config.schema import Http

_LONGEST_ANSWER = 2000  # characters of a refusal that are looked at


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


class _Session(Session):
    """Apprise's own wishes for proxies, time limits, redirects and verification do not count."""

    def __init__(self, exchanges: Exchanges) -> None:
        super().__init__(exchanges.client.made)
        self._exchanges = exchanges

    def request(self, method: Any, url: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        ours = {
            "allow_redirects": False,
            "timeout": self._exchanges.timeout,
            "verify": None,
            "cert": None,
            "proxies": None,
        }
        try:
            response = super().request(method, url, **{**more, **ours})
        except requests.RequestException as error:
            self._exchanges.failures.append(str(error))
            raise
        if not response.ok and (said := shorten(response.text[:_LONGEST_ANSWER])):
            self._exchanges.failures.append(f"It said: {said}")
        return response
