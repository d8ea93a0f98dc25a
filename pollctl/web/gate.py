"""What stands before every page: an address that lets in once, a cookie afterwards, and nothing for anybody else."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

LOGIN = "/-/login"
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_POLICY = (
    "default-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; script-src-attr 'none'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing is fetched from elsewhere and no attribute runs, whatever a table holds. Datasette brings scripts, Vega makes some."""
_ALWAYS: tuple[Header, ...] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Gate:
    """An application behind a login.

    Args:
        app: what whoever is let in sees.
        name: of the cookie; browsers keep one jar for all ports of a host.
    """

    def __init__(self, app: App, name: str) -> None:
        self._app = app
        self._name = name
        self._session = secrets.token_urlsafe(32)
        self._token: str | None = secrets.token_urlsafe(32)
        self.login = f"{LOGIN}?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        if _host(headers.get(b"host", b"")) not in _HOSTS:
            await _answer(send, 421, "This host is not served here; ask for 127.0.0.1 or localhost.")
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, "Here things are only looked at.")
        elif scope["path"] == LOGIN:
            await self._let_in(scope, send)
        elif not self._has_cookie(headers.get(b"cookie", b"")):
            await _answer(send, 403, "Open the address that `pollctl web` printed; it works once.")
        else:
            await self._app(scope, receive, _adding(send))

    async def _let_in(self, scope: Scope, send: Send) -> None:
        """Take the token and give the cookie; a HEAD, as programs that preview addresses send it, uses nothing up."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        if scope["method"] != "GET" or self._token is None or not compare_digest(given.encode(), self._token.encode()):
            await _answer(send, 403, "This address was used already, or never worked; start `pollctl web` again.")
            return
        self._token = None
        # Lax: a terminal in a browser may be where the address is opened from.
        cookie = f"{self._name}={self._session}; Path=/; HttpOnly; SameSite=Lax"
        await _answer(send, 303, "", [(b"location", b"/"), (b"set-cookie", cookie.encode())])

    def _has_cookie(self, header: bytes) -> bool:
        """Whether the cookie is among those of a request; those of other programs may look like anything."""
        ours = f"{self._name}={self._session}".encode()
        return any(compare_digest(one.strip(), ours) for one in header.split(b";"))


def _host(header: bytes) -> str:
    """The name in a ``Host``, which may come through a tunnel from another port."""
    name, colon, port = header.decode("latin-1").lower().rpartition(":")
    return name if colon and port.isdigit() else header.decode("latin-1").lower()


def _adding(send: Send) -> Send:
    """Send on, with what every answer carries; a header of the application by one of these names goes."""
    ours = {name for name, _ in _ALWAYS}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in ours]
            message = {**message, "headers": [*kept, *_ALWAYS]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, text: str, headers: Iterable[Header] = ()) -> None:
    body = f"{text}\n".encode() if text else b""
    always = [*_ALWAYS, (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*always, *headers]})
    await send({"type": "http.response.body", "body": body})
