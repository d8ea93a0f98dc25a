"""A session of requests, for SDKs and libraries that take one, whose exchanges are made by our own client and under its limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from io import BytesIO
from typing import Any, NoReturn

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse

from pollctl.api.values import Answer, FetchError, FetchErrorKind, Request
from pollctl.concurrency.call import Call
from pollctl.http.client import answer_of
from pollctl.http.cookies import CookieStore
from pollctl.http.errors import Failure
from pollctl.http.journey import Whole
from pollctl.http.redirects import address_of
from pollctl.http.session_cookies import Jars, put_all

Make = Callable[[Request, CookieStore], Call]
"""Makes one exchange, as ``Client.made`` does."""

_OF_THE_WIRE = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding"})
"""Headers that are the client's to set."""
_RAISED: dict[FetchErrorKind, type[requests.RequestException]] = {
    "timeout": requests.Timeout,
    "tls": requests.exceptions.SSLError,
    "redirect": requests.TooManyRedirects,
    "bad_address": requests.exceptions.InvalidURL,
    "truncated": requests.exceptions.ChunkedEncodingError,
}
_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:")
_WORTH_A_REPEAT = ("refused", "unreachable", "dns", "reset", "local")
"""Kinds that libraries may ask again after: as ``ConnectionError``, as they know it."""


class Session(requests.Session):
    """What ``run.session`` answers: see there.

    Args:
        make: makes an exchange.
        max_body: largest decoded body in bytes; the settings' if None.
        allow_hosts: further hosts that a redirect may lead to.
    """

    def __init__(self, make: Make, *, max_body: int | None = None, allow_hosts: Sequence[str] = ()) -> None:
        super().__init__()
        self.trust_env = False  # the client sees to that
        self.headers = CaseInsensitiveDict({"Accept": "*/*"})
        self.adapters.clear()
        self._adapter = _Adapter(make, self, max_body, allow_hosts)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Make the exchange of *request*; the client follows the redirects of a GET, under its own rules.

        Raises:
            ValueError: it asks for what the settings alone say, such as ``verify=False``.
            requests.RequestException: there is no answer; ``pollctl.fetch_error`` says which kind of error that is to rules.
            MachineError: no thread can be started; nothing was sent.
        """
        follow = kwargs.pop("allow_redirects", True)
        if self.get_adapter(request.url or "") is self._adapter:
            kwargs["follow"] = follow
        return super().send(request, allow_redirects=False, **kwargs)

    def get_adapter(self, url: str | bytes) -> BaseAdapter:
        """What makes the exchange: what is mounted for another scheme than HTTP's, else our own."""
        text = str(url).lower()
        return next((adapter for prefix, adapter in self.adapters.items() if text.startswith(prefix)), self._adapter)

    def mount(self, prefix: str | bytes, adapter: BaseAdapter) -> None:
        """Have another scheme than HTTP's served, as zeep has ``file://``; ``requests.Session`` itself mounts its own at first.

        Raises:
            ValueError: HTTP would go through the *adapter*.
        """
        text = str(prefix).lower()
        if hasattr(self, "_adapter") and not _OTHER_SCHEME.match(text):
            raise ValueError(f"no adapter can be mounted at {prefix!r}: the exchanges of this session have limits")
        super().mount(text, adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: what the client does not follow is not followed."""

    def close(self) -> None:
        """Nothing: the connections belong to the pass."""


class _Adapter(BaseAdapter):
    """Makes the exchanges of a session, with the cookies that it then has: SDKs may give it others."""

    def __init__(self, make: Make, session: Session, max_body: int | None, allow_hosts: Sequence[str]) -> None:
        super().__init__()
        self._make = make
        self._session = session
        self._max_body = max_body
        self._allow_hosts = allow_hosts

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the whole body is there before anything is read of it
        timeout: Any = None,
        verify: Any = True,  # noqa: FBT002 - as BaseAdapter has it
        cert: Any = None,
        proxies: Any = None,
        *,
        follow: bool = True,
    ) -> requests.Response:
        _refuse_own_ways(verify, cert, proxies)
        jars = Jars(request, self._session.cookies)
        call = self._make(self._worded(request, jars, _seconds(timeout), follow=follow), jars)
        answer, whole = answer_of(call), call.value
        if answer.error or not isinstance(whole, Whole):
            _raise(answer.error, request)
        response = _response(answer, whole, request)
        if whole.cookies:
            jars.keep(address_of(whole.url), whole.cookies)
            put_all(whole.cookies, response.cookies, address_of(whole.url))
        response.connection = self  # type: ignore[assignment]  # not only HTTPAdapter has what is asked for: what repeats a request with a digest of the password asks here
        return response

    def close(self) -> None:
        """Nothing: connections belong to the client."""

    def _worded(self, request: requests.PreparedRequest, jars: Jars, timeout: float | None, *, follow: bool) -> Request:
        return Request(
            url=request.url or "",
            method=request.method or "GET",
            headers=jars.without_their_own(_headers(request)),
            body=_body(request),
            timeout=timeout,
            max_body=self._max_body,
            follow=follow,
            allow_hosts=self._allow_hosts,
        )


def _refuse_own_ways(verify: Any, cert: Any, proxies: Any) -> None:
    """Refuse what would otherwise be left unheeded.

    Raises:
        ValueError: it is set.
    """
    if verify is not True:
        raise ValueError(
            f"verify={verify!r} is refused: certificates are always verified; [pollctl.http] ca_file adds an authority"
        )
    if cert:
        raise ValueError("cert=... is refused: [pollctl.http] client_cert names the certificate that is shown")
    if proxies and any(proxies.values()):
        raise ValueError("proxies=... is refused: [pollctl.http] trust_env lets the proxy variables count")


def _seconds(timeout: Any) -> float | None:
    """Total seconds: those of a pair for connecting and reading together; None for the settings'."""
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    return None if None in parts else float(sum(parts))


def _raise(error: FetchError | None, request: requests.PreparedRequest) -> NoReturn:
    error = error or FetchError(kind="raised", message="the exchange brought no answer")
    default = requests.ConnectionError if error.kind in _WORTH_A_REPEAT else requests.RequestException
    raised = _RAISED.get(error.kind, default)(error.message, request=request)
    raise raised from Failure(error.kind, error.message)


def _response(answer: Answer, whole: Whole, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = HTTPResponse(BytesIO(answer.body), status=answer.status, preload_content=False)
    response.encoding = get_encoding_from_headers(response.headers)
    response.request, response.url = request, whole.url
    try:
        response.reason = HTTPStatus(answer.status).phrase
    except ValueError:
        response.reason = ""
    return response


def _headers(request: requests.PreparedRequest) -> dict[str, str]:
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
