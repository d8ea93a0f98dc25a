"""The desk through which a pass asks Marketing Cloud: one token, one SOAP client, and the pauses that were asked for."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from msgspec.structs import replace

from pollctl import Answer, Request, retry_after
from pollctl_shell_query.client import tokens
from pollctl_shell_query.client.errors import Kind, UpstreamError
from pollctl_shell_query.model.decisions import Hold, Settings, Token

if TYPE_CHECKING:
    from pollctl_shell_query.client.soap import SoapClient

_CUT = ("deadline", "stopped")
_UNAUTHORIZED = 401
_REJECTED = range(400, 500)
_RETRIED = (408, 425, 429)
_opening = threading.Lock()
_latest: list[Desk] = []


class Asker(Protocol):
    """What a desk needs of a pass, or of a command."""

    now: datetime

    @property
    def settings(self) -> Settings: ...  # noqa: D102

    def send(self, request: Request) -> Answer:
        """Make one exchange."""

    def held_until(self, upstream: str) -> datetime | None:
        """The moment before which *upstream* wants no request."""


class Desk:
    """Asks on behalf of one pass; may be used by several threads.

    Attributes:
        asker: the pass.
        barred: why there is no token to be had; then nothing is asked any more.
    """

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self._lock = threading.RLock()
        self._token: Token | None = None
        self._unsaved: Token | None = None
        self._client: SoapClient | None = None
        self._holds: dict[str, Hold] = {}
        self._unsaved_holds: dict[str, Hold] = {}
        self.barred: UpstreamError | None = None

    @staticmethod
    def of(run: Asker) -> Desk:
        """The desk of a pass, the same for all its hooks; there is one pass at a time in a process."""
        with _opening:
            if not _latest or _latest[0].asker is not run:
                _latest[:] = [Desk(run)]
            return _latest[0]

    # tokens

    def remember(self, token: Token | None) -> None:
        """Use a token that an earlier pass left, if it is of these settings and lasts long enough."""
        with self._lock:
            is_ours = token is not None and token.grantor == tokens.grantor(self.asker.settings)
            if self._token is None and is_ours:
                self._token = token

    def token(self) -> Token:
        """The token to ask with; a new one is asked for when there is none, or it is near its end.

        Raises:
            UpstreamError: there is none to be had.
        """
        with self._lock:
            if self._token is None or self._token.renew_at <= self.asker.now:
                self._token = self._asked_for()
            return self._token

    def new_token(self, spent: Token) -> Token:
        """Another token than *spent*, which was refused; one request, however many ask.

        Raises:
            UpstreamError: there is none to be had.
        """
        with self._lock:
            if self._token is None or self._token.access_token == spent.access_token:
                self._token = self._asked_for()
            return self._token

    def take_unsaved(self) -> tuple[Token | None, list[Hold]]:
        """What later passes must know, once."""
        with self._lock:
            left = self._unsaved, [*self._unsaved_holds.values()]
            self._unsaved, self._unsaved_holds = None, {}
            return left

    def _asked_for(self) -> Token:
        if self.barred is not None:
            raise self.barred
        settings = self.asker.settings
        upstream = tokens.upstream_of(settings)
        try:
            answer = self._send(upstream, tokens.request_for(settings))
            token = tokens.read(answer, settings)
        except UpstreamError as trouble:
            self.barred = (
                trouble if trouble.kind == "held" else UpstreamError("token", str(trouble), trouble.retry_after_s)
            )
            raise self.barred from None
        except ValueError as error:
            self.barred = UpstreamError("token", str(error), self._pause_of(answer, upstream))
            raise self.barred from None
        self._unsaved = token
        return token

    # requests

    def soap(self, token: Token, operation: str, /, **arguments: Any) -> Answer:
        """Call a SOAP operation; the answer has a status, and is not read here.

        Raises:
            UpstreamError: it did not come about.
            ConfigError: the WSDL of the settings cannot be used.
        """
        client = self.client()
        self._refuse_if_held(soap_name(token.soap_url))
        return _whole(client.call(token.soap_url, token.access_token.reveal(), operation, **arguments))

    def rest(self, path: str, *, body: bytes | None = None, max_body: int | None = None) -> Answer:
        """Ask a REST address below the instance, with a new token once if need be; a GET, or a POST of JSON.

        Raises:
            UpstreamError: it did not come about, or was answered with a status that says nothing about the question.
        """
        token = self.token()
        answer = self._rest(token, path, body, max_body)
        if answer.status == _UNAUTHORIZED:
            answer = self._rest(self.new_token(token), path, body, max_body)
        return answer

    def client(self) -> SoapClient:
        """The SOAP client, built when it is first needed."""
        from pollctl_shell_query.client.soap import SoapClient

        with self._lock:
            if self._client is None:
                self._client = SoapClient(self.asker.settings.wsdl, self.asker.send)
            return self._client

    def is_held(self, upstream: str) -> bool:
        """Whether an upstream wants no request now."""
        return self._held_until(upstream) is not None

    def trouble_of(self, answer: Answer, upstream: str, words: str = "") -> UpstreamError:
        """What an answer without a usable body comes to, by its status; *words* of the upstream, if it has any."""
        pause = self._pause_of(answer, upstream)
        said = f"{upstream} answered {answer.status}{': ' if words else ''}{words}"
        is_rejected = answer.status in _REJECTED and answer.status not in _RETRIED
        return UpstreamError("rejected" if is_rejected else "transient", said, pause)

    def _rest(self, token: Token, path: str, body: bytes | None, max_body: int | None) -> Answer:
        headers = {"Authorization": f"Bearer {token.access_token.reveal()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(
            url=f"{token.rest_url}{path}",
            method="GET" if body is None else "POST",
            headers=headers,
            body=body,
            max_body=max_body,
            follow=False,
        )
        return self._send(rest_name(token), request)

    def _send(self, upstream: str, request: Request) -> Answer:
        self._refuse_if_held(upstream)
        return _whole(self.asker.send(request))

    def _refuse_if_held(self, upstream: str) -> None:
        until = self._held_until(upstream)
        if until is not None:
            left = until - self.asker.now
            raise UpstreamError(
                "held", f"{upstream} wants no request before {until:%H:%M:%S} UTC", left.total_seconds()
            )

    def _held_until(self, upstream: str) -> datetime | None:
        hold = self._holds.get(upstream)
        if hold is not None and hold.until > self.asker.now:
            return hold.until
        return self.asker.held_until(upstream)

    def _pause_of(self, answer: Answer, upstream: str) -> float | None:
        """How long an answer asks for peace, which is remembered; also a 500, which is how SOAP throttles."""
        is_throttled = answer.status >= 500 or answer.status == 429  # noqa: PLR2004
        asked_for = retry_after(replace(answer, status=503), self.asker.now) if is_throttled else None
        if not asked_for:
            return None
        hold = Hold(upstream=upstream, until=self.asker.now + asked_for)
        with self._lock:
            self._holds[upstream] = self._unsaved_holds[upstream] = hold
        return asked_for / timedelta(seconds=1)


def soap_name(soap_url: str) -> str:
    """The name under which a pause of SOAP is remembered."""
    return f"soap {urlsplit(soap_url).netloc}"


def rest_name(token: Token) -> str:
    """The name under which a pause of REST is remembered."""
    return f"rest {urlsplit(token.rest_url).netloc}"


def _whole(answer: Answer) -> Answer:
    """An answer that has a status.

    Raises:
        UpstreamError: it has none.
    """
    if answer.error is None:
        return answer
    kind: Kind = "large" if answer.error.kind == "too_large" else "cut" if answer.error.kind in _CUT else "transient"
    raise UpstreamError(kind, answer.error.message)
