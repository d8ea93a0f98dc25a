"""HTTP as Apprise makes it, under the settings of ``[pollctl.http]``.

Apprise calls the functions of requests, each of which opens a session of its own that reads ``.netrc`` and the proxy variables,
knows the public authorities alone and waits as it likes. While one of our messages is being sent, such a session is one of ours.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import certifi
import requests
import requests.api
from requests.adapters import BaseAdapter, HTTPAdapter

from pollctl.errors import DeliveryError
from pollctl.http.errors import failure_of
from pollctl.redaction import shorten

if TYPE_CHECKING:
    from pathlib import Path

    from pollctl.config.schema import Http

_LONGEST_ANSWER = 2000  # characters of a refusal that are looked at


class Exchanges:
    """What HTTP means for one message: the settings, and what went wrong on the way.

    Args:
        http: the settings.
        timeout: seconds for each exchange.
    """

    def __init__(self, http: Http, timeout: float) -> None:
        self.trust_env = http.trust_env
        self.ca_file = http.ca_file
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


def _session() -> requests.Session:
    exchanges = _exchanges.get()
    return requests.Session() if exchanges is None else _Session(exchanges)


@cache
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """What verifies services: the public authorities and *ca_file*; reading them takes longer than sending a message."""
    context = ssl.create_default_context(cafile=certifi.where())
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise DeliveryError(f"the ca_file {ca_file} cannot be read: {error}") from error
    return context


class _Session(requests.Session):
    def __init__(self, exchanges: Exchanges) -> None:
        super().__init__()
        self.trust_env = exchanges.trust_env
        self._exchanges = exchanges

    def get_adapter(self, url: str) -> BaseAdapter:
        """One that trusts the authorities of the settings, made when TLS is needed."""
        if url.lower().startswith("https://") and not isinstance(self.adapters["https://"], _Adapter):
            self.mount("https://", _Adapter(_tls(self._exchanges.ca_file)))
        return super().get_adapter(url)

    def request(self, method: Any, url: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        more["timeout"] = self._exchanges.timeout
        try:
            response = super().request(method, url, **more)
        except requests.RequestException as error:
            self._exchanges.failures.append(_why(error))
            raise
        if not response.ok and (said := shorten(response.text[:_LONGEST_ANSWER])):
            self._exchanges.failures.append(f"It said: {said}")
        return response


class _Adapter(HTTPAdapter):
    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more, ssl_context=self._tls)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        return super().proxy_manager_for(proxy, **more, ssl_context=self._tls)


def _why(error: BaseException) -> str:
    """The innermost reason, in the words that passes use; what lies around it repeats the address."""
    while True:
        inner = error.__cause__ or getattr(error, "reason", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException) or isinstance(inner, ssl.SSLError | TimeoutError):
            break
        error = inner
    return str(failure_of(inner if isinstance(inner, BaseException) else error))
