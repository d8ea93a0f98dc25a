"""A small StockX on the loopback that behaves like the real one: token endpoint, both dialects, faults, a real rate limit."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from msgspec import Struct

from pollctl.fakes import JSON, NOT_FOUND, FakeUpstream, ServerRequest, ServerResponse

_WORDS = {
    "open": {"v2": "PENDING", "operations": "processing"},
    "completed": {"v2": "SUCCEEDED", "operations": "completed"},
    "failed": {"v2": "FAILED", "operations": "failed"},
    "partial": {"v2": "PARTIAL", "operations": "partial_success"},
}


class Reply(Struct, frozen=True, kw_only=True):
    """How the API answers once.

    Attributes:
        state: ``open``, ``completed``, ``failed`` or ``partial``, in the words of the dialect; or a word as it is.
        error: text or object.
        status: of the HTTP answer; without 2xx, *message* stands in its body.
        headers: such as ``Retry-After``.
        body: sent as it is, instead of the usual object.
        delay: seconds before the answer.
        is_lost: the connection is closed without an answer.
    """

    state: str = "open"
    listing_id: str | None = None
    amount: Any = None
    currency: str | None = None
    expires_at: str | None = None
    error: Any = None
    status: int = 200
    message: str | None = None
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    delay: float = 0
    is_lost: bool = False

    def content(self, dialect: str, operation_id: str, listing_id: str) -> bytes:
        """The body of the answer about an operation."""
        if self.body is not None:
            return self.body
        if self.status != 200:  # noqa: PLR2004
            return json.dumps({"message": self.message} if self.message else {}).encode()
        word = _WORDS.get(self.state, {}).get(dialect, self.state)
        if dialect == "v2":
            ask = {"amount": self.amount, "currency": self.currency, "expiresAt": self.expires_at}
            facts = {"operationId": operation_id, "listingId": listing_id, "operationStatus": word, "error": self.error}
            changes = {"additions": {}, "updates": {"askData": {key: ask[key] for key in ask if ask[key] is not None}}}
            return json.dumps({**facts, "changes": changes}).encode()
        result = {"id": self.listing_id, "amount": self.amount, "currencyCode": self.currency}
        done = {**result, "status": "ACTIVE", "expiresAt": self.expires_at} if self.listing_id or self.amount else None
        return json.dumps({"id": operation_id, "status": word, "result": done, "error": self.error}).encode()

    def answer(self, body: bytes) -> ServerResponse:
        """This reply with *body*."""
        return ServerResponse(self.status, body, {**JSON, **self.headers}, self.delay, self.is_lost)


OPEN = Reply()
COMPLETED = Reply(state="completed", amount="250", currency="USD", expires_at="2027-01-01T00:00:00.000Z")
REFUSED = Reply(status=422, message="The ask is below the minimum")
LOST = Reply(is_lost=True)


class FakeStockX(FakeUpstream):
    """A StockX to be used with ``with``; it answers until the block ends.

    Args:
        script: replies by operation, one per request, the last again and again; an operation that is not named is
            answered with *otherwise*.
        otherwise: see *script*.
        limit: requests that are allowed in any window of *per* seconds; 0 for no limit. What comes beyond is answered
            with 429, and so is everything for *punishment* seconds after the latest such request: a client that does not
            wait waits longer.
        rotates: whether each refresh answers with a new refresh token and ends the old one.
        lifetime: seconds that an access token lasts, sent as a number or as text.

    Attributes:
        base_url, token_url: for the settings.
        api_key, client_id, client_secret: what it expects; see ``settings``.
        asked: operation ids, in the order of the requests.
        arrivals: moments of ``time.monotonic`` of all requests, those for tokens too.
        refreshes: refresh tokens that were sent to the token endpoint.
        users: refresh tokens that work, with the user that each stands for; take one away and it is ``invalid_grant``.
        barred: users whose access tokens are answered with 401, however fresh.
        is_walled: whether a bot wall stands before the API: every request is answered 403, whatever it asks.
        token_replies: how the token endpoint answers instead, one per request.
    """

    def __init__(
        self,
        script: Mapping[str, Sequence[Reply]] | None = None,
        *,
        otherwise: Reply = COMPLETED,
        limit: int = 0,
        per: float = 1.0,
        punishment: float = 5.0,
        rotates: bool = False,
        lifetime: int | str = 43_200,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.script = {operation: list(replies) for operation, replies in (script or {}).items()}
        self.otherwise = otherwise
        self.limit, self.per, self.punishment = limit, per, punishment
        self.rotates, self.lifetime = rotates, lifetime
        self.api_key, self.client_id, self.client_secret = "fake-api-key", "fake-client", "fake-client-secret"
        self.asked: list[str] = []
        self.arrivals: list[float] = []
        self.refreshes: list[str] = []
        self.users: dict[str, str] = {}
        self.barred: set[str] = set()
        self.is_walled = False
        self.token_replies: list[Reply] = []
        self._access: dict[str, str] = {}
        self._recent: deque[float] = deque()
        self._punished_until = 0.0
        self._lock = threading.Lock()
        self.base_url = self.url
        self.token_url = f"{self.base_url}/oauth/token"

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer for tokens and operations."""
        pause = self.pause_of(time.monotonic())
        too_many = Reply(status=429, headers={"Retry-After": f"{pause:g}"}) if pause else None
        match request.parts:
            case _ if request.method == "POST":
                reply = too_many or self.grant(parse_qs(request.body.decode()))
                return reply.answer(reply.body or b"{}")
            case ["v2", "selling", "listings", listing_id, "operations", operation_id]:
                dialect = "v2"
            case ["v2", "operations", operation_id]:
                dialect, listing_id = "operations", ""
            case _:
                return NOT_FOUND
        is_let_in = request.headers.get("x-api-key") == self.api_key and not self.is_walled
        forbidden = None if is_let_in else Reply(status=403, message="Forbidden")
        reply = too_many or forbidden or self.reply(operation_id, request.bearer)
        return reply.answer(reply.content(dialect, operation_id, listing_id))

    def settings(self, **more: object) -> str:
        """A section of settings that leads here."""
        values = {
            "base_url": self.base_url,
            "token_url": self.token_url,
            "api_key": self.api_key,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            **more,
        }
        return "\n".join(["[plugins.stockx_ops]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())])

    def invalidate_tokens(self) -> None:
        """Let every access token be answered with 401 from now on; refreshing helps."""
        with self._lock:
            self._access.clear()

    def most_in_a_window(self, seconds: float) -> int:
        """The largest number of requests that arrived within any *seconds*."""
        moments = sorted(self.arrivals)
        return max((sum(start <= other < start + seconds for other in moments) for start in moments), default=0)

    def pause_of(self, now: float) -> float:
        """Count a request, and return the seconds that it is refused for; 0 when it is accepted."""
        with self._lock:
            self.arrivals.append(now)
            while self._recent and self._recent[0] <= now - self.per:
                self._recent.popleft()
            self._recent.append(now)
            if self.limit and (len(self._recent) > self.limit or now < self._punished_until):
                self._punished_until = now + self.punishment
                return self.punishment
            return 0.0

    def reply(self, operation_id: str, token: str) -> Reply:
        """The next reply about an operation."""
        with self._lock:
            self.asked.append(operation_id)
            user = self._access.get(token)
            if user is None or user in self.barred:
                return Reply(status=401, message="Unauthorized")
            replies = self.script.get(operation_id)
            if replies is None:
                return self.otherwise
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def grant(self, form: Mapping[str, Sequence[str]]) -> Reply:
        """How the token endpoint answers."""
        with self._lock:
            fields = {key: values[0] for key, values in form.items()}
            refresh_token = fields.get("refresh_token", "")
            self.refreshes.append(refresh_token)
            if self.token_replies:
                return self.token_replies.pop(0)
            if (fields.get("client_id"), fields.get("client_secret")) != (self.client_id, self.client_secret):
                return Reply(status=401, body=b'{"error": "invalid_client"}')
            is_valid = fields.get("grant_type") == "refresh_token" and fields.get("audience") == "gateway.stockx.com"
            if not is_valid or refresh_token not in self.users:
                return Reply(status=403, body=b'{"error": "invalid_grant"}')
            return Reply(body=json.dumps(self._tokens(refresh_token)).encode())

    def _tokens(self, refresh_token: str) -> dict[str, Any]:
        number = len(self.refreshes)
        access = f"access-{self.users[refresh_token]}-{number}-{id(self):x}"
        self._access[access] = self.users[refresh_token]
        granted: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime}
        if self.rotates:
            granted["refresh_token"] = f"refresh-{self.users[refresh_token]}-{number}-{id(self):x}"
            self.users[granted["refresh_token"]] = self.users.pop(refresh_token)
        return granted
