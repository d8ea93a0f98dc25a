"""The API session of a pass: one token, one SOAP client, and the pauses that the upstream asked for."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from msgspec.structs import replace

from pollctl import Answer, Request, Run, fetch_error, retry_after
from pollctl_shell_query.client import tokens
from pollctl_shell_query.client.answers import answer_of, answered, error_without_answer
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.xml import MAX_BODY
from pollctl_shell_query.model import Hold, Settings, Token

if TYPE_CHECKING:
    import requests

    from pollctl_shell_query.client.soap import SoapClient

_UNAUTHORIZED, _TOO_MANY = 401, 429
_REJECTED = range(400, 500)
_RETRIED = (408, 425, _TOO_MANY)
_SERVER_ERRORS = 500


class RequestContext(Protocol):
    """What a session needs of a pass, or of a command."""

    now: datetime

    @property
    def settings(self) -> Settings: ...  # noqa: D102

    def send(self, request: Request) -> Answer:
        """Make one exchange."""

    def session(self, *, max_body: int) -> requests.Session:
        """What SOAP goes through."""

    def held_until(self, upstream: str) -> datetime | None:
        """The moment before which *upstream* wants no request."""


class ApiSession:
    """Makes the requests of one pass; may be used by several threads.

    Attributes:
        context: the pass, or a command.
        token_error: why there is no token to be had; then nothing is asked any more.
    """

    def __init__(self, context: RequestContext) -> None:
        self.context = context
        self.token_error: UpstreamError | None = None
        self._lock = threading.RLock()
        self._token: Token | None = None
        self._unsaved_token: Token | None = None
        self._soap_client: SoapClient | None = None
        self._holds: dict[str, Hold] = {}
        self._unsaved_holds: dict[str, Hold] = {}

    # tokens

    def reuse(self, token: Token | None) -> None:
        """Use a token that an earlier pass left, if it is of these settings and there is none yet."""
        with self._lock:
            is_ours = token is not None and token.grantor == tokens.grantor(self.context.settings)
            if self._token is None and is_ours:
                self._token = token

    def token(self) -> Token:
        """The token to ask with; a new one is requested when there is none, or it is near its end.

        Raises:
            UpstreamError: there is none to be had.
        """
        with self._lock:
            if self._token is None or self._token.renew_at <= self.context.now:
                self._token = self._requested_token()
            return self._token

    def new_token(self, refused: Token) -> Token:
        """Another token than the one *refused*; one request, however many threads ask.

        Raises:
            UpstreamError: there is none to be had.
        """
        with self._lock:
            if self._token is None or self._token.access_token == refused.access_token:
                self._token = self._requested_token()
            return self._token

    def take_unsaved(self) -> tuple[Token | None, list[Hold]]:
        """What later passes must know, once."""
        with self._lock:
            unsaved = self._unsaved_token, [*self._unsaved_holds.values()]
            self._unsaved_token, self._unsaved_holds = None, {}
            return unsaved

    def _requested_token(self) -> Token:
        if self.token_error is None:
            try:
                self._unsaved_token = self._request_token()
            except UpstreamError as error:
                self.token_error = error
            else:
                return self._unsaved_token
        raise self.token_error

    def _request_token(self) -> Token:
        settings = self.context.settings
        upstream = tokens.upstream_of(settings)
        try:
            answer = self._send(upstream, tokens.request_for(settings))
        except UpstreamError as error:
            if error.kind == "held":
                raise
            raise UpstreamError("token", str(error), error.retry_after_s) from None
        try:
            return tokens.read(answer, settings)
        except ValueError as error:
            raise UpstreamError("token", str(error), self._note_pause(answer, upstream)) from None

    # requests

    def soap(self, token: Token, operation: str, /, **arguments: Any) -> Answer:
        """Call a SOAP operation; the answer has a status, and is not read here.

        Raises:
            UpstreamError: it did not come about.
            ConfigError: the WSDL of the settings cannot be used.
        """
        import requests

        client = self.soap_client()
        self._refuse_if_held(soap_name(token.soap_url))
        try:
            response = client.call(token.soap_url, token.access_token.reveal(), operation, **arguments)
        except requests.RequestException as error:
            raise error_without_answer(fetch_error(error)) from None
        return answer_of(response, self.context.now)

    def rest(self, path: str, *, body: bytes | None = None, max_body: int | None = None) -> Answer:
        """Ask a REST address below the instance, with a new token once if need be; a GET, or a POST of JSON.

        Raises:
            UpstreamError: it did not come about.
        """
        token = self.token()
        answer = self._rest(token, path, body, max_body)
        if answer.status == _UNAUTHORIZED:
            answer = self._rest(self.new_token(token), path, body, max_body)
        return answer

    def soap_client(self) -> SoapClient:
        """The SOAP client, built when it is first needed.

        Raises:
            ConfigError: the WSDL of the settings cannot be used.
        """
        from pollctl_shell_query.client.soap import SoapClient

        with self._lock:
            if self._soap_client is None:
                self._soap_client = SoapClient(self.context.settings.wsdl, self.context.session(max_body=MAX_BODY))
            return self._soap_client

    def error_of(self, answer: Answer, upstream: str, message: str = "") -> UpstreamError:
        """The error that an answer without a usable body means, by its status; with the upstream's *message*, if any."""
        pause = self._note_pause(answer, upstream)
        text = f"{upstream} answered {answer.status}{': ' if message else ''}{message}"
        is_rejected = answer.status in _REJECTED and answer.status not in _RETRIED
        return UpstreamError("rejected" if is_rejected else "transient", text, pause)

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
        return answered(self.context.send(request))

    # pauses

    def _refuse_if_held(self, upstream: str) -> None:
        until = self._held_until(upstream)
        if until is not None:
            remaining = until - self.context.now
            message = f"{upstream} wants no request before {until:%H:%M:%S} UTC"
            raise UpstreamError("held", message, remaining.total_seconds())

    def _held_until(self, upstream: str) -> datetime | None:
        hold = self._holds.get(upstream)
        if hold is not None and hold.until > self.context.now:
            return hold.until
        return self.context.held_until(upstream)

    def _note_pause(self, answer: Answer, upstream: str) -> float | None:
        """The seconds of pause that an answer asks for, which are remembered; also a 500, which is how SOAP throttles."""
        is_throttled = answer.status >= _SERVER_ERRORS or answer.status == _TOO_MANY
        pause = retry_after(replace(answer, status=503), self.context.now) if is_throttled else None
        if not pause:
            return None
        hold = Hold(upstream=upstream, until=self.context.now + pause)
        with self._lock:
            self._holds[upstream] = self._unsaved_holds[upstream] = hold
        return pause / timedelta(seconds=1)


def session_of(run: Run) -> ApiSession:
    """The session of a pass, the same for all its hooks."""
    return run.once("api session", lambda: ApiSession(run))


def soap_name(soap_url: str) -> str:
    """The name under which a pause of SOAP is remembered."""
    return f"soap {urlsplit(soap_url).netloc}"


def rest_name(token: Token) -> str:
    """The name under which a pause of REST is remembered."""
    return f"rest {urlsplit(token.rest_url).netloc}"
