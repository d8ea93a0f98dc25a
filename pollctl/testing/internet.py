"""All hosts of the internet in one fake upstream: passes reach it as their proxy, so settings keep the addresses they have.

What goes to the host ``inbox`` is a message: ``json://inbox/crew`` is an Apprise address of somebody called crew. Addresses on the
loopback device are asked directly. TLS is ended here, by certificates of an authority that lives as long as the tests
(``pip install pollctl[testing]`` brings trustme for it).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from pollctl import fakes
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

if TYPE_CHECKING:
    import trustme

INBOX = "inbox"
"""The host to which messages go."""
Answering = Callable[[ServerRequest], ServerResponse]


class Message(Struct, frozen=True, kw_only=True):
    """What a person received.

    Attributes:
        to: the path of an address ``json://inbox/PATH``, or the address of a mail.
        body: as it is read; of a mail the text part.
        level: of Apprise: ``info``, ``success``, ``warning`` or ``failure``; empty for a mail.
        key: the idempotency key; empty for a mail.
    """

    to: str
    title: str
    body: str
    level: str = ""
    key: str = ""


class Internet(FakeUpstream):
    """What answers for every host.

    Attributes:
        messages: what came to the host ``inbox``, in the order of arrival.
        requests: what came to any other host, with whole addresses.
        unanswered: method and address of each request that nothing was said about.
        always: answers every request, if it is there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server.RequestHandlerClass = _Proxy
        self.messages: list[Message] = []
        self.requests: list[ServerRequest] = []
        self.unanswered: list[str] = []
        self.always: Answering | None = None
        self._answers: dict[str, ServerResponse | Answering] = {}

    def answer(self, url: str, answer: ServerResponse | Answering) -> None:
        """Answer *url* so from now on; one without a query holds for every query of it."""
        self._answers[_plain(url)] = answer

    def forget(self) -> None:
        """Forget what came here."""
        for came in (self.messages, self.requests, self.unanswered):
            came.clear()

    def respond(self, request: ServerRequest) -> ServerResponse:
        """As it was said, or 501 with the remedy."""
        if urlsplit(request.address).hostname == INBOX:
            return self._take(request)
        self.requests.append(request)
        if self.always:
            return self.always(request)
        url = _plain(request.address)
        answer = self._answers.get(url) or self._answers.get(url.partition("?")[0])
        if answer is None:
            self.unanswered.append(f"{request.method} {url}")
            return ServerResponse(501, f"say what {url} answers: bench.answer({url!r}, ...)".encode())
        return answer if isinstance(answer, ServerResponse) else answer(request)

    def _take(self, request: ServerRequest) -> ServerResponse:
        posted = json.loads(request.body)
        message = Message(
            to=request.path.strip("/"),
            title=posted["title"],
            body=posted["message"],
            level=posted["type"],
            key=request.headers.get("idempotency-key", ""),
        )
        self.messages.append(message)
        return ServerResponse(HTTPStatus.NO_CONTENT)

    def environment(self) -> Mapping[str, str]:
        """The variables that lead a pass here, with ``trust_env`` in its settings."""
        return {"http_proxy": self.url, "https_proxy": self.url, "no_proxy": "127.0.0.1,localhost,::1"}


def answered(
    content: object, status: int, headers: Mapping[str, str], delay: float, *, is_lost: bool
) -> ServerResponse | Answering:
    """What an upstream sends: bytes as they are, text as text, an answer or a function as it is, and all else as JSON."""
    if isinstance(content, ServerResponse) or callable(content):
        return content
    body, kind = _encoded(content)
    return ServerResponse(status, body, {"Content-Type": kind, **headers}, delay, is_lost)


def _encoded(content: object) -> tuple[bytes, str]:
    if isinstance(content, bytes):
        return content, "application/octet-stream"
    if isinstance(content, str):
        return content.encode(), "text/html; charset=utf-8"
    return json.dumps(content).encode(), "application/json"


def write_authority(path: Path) -> bool:
    """Write the certificate of the authority that vouches for every host here; answers whether there is one."""
    with suppress(ImportError):
        _authority().cert_pem.write_to_path(str(path))
        return True
    return False


@cache
def _authority() -> trustme.CA:
    import trustme

    return trustme.CA()


@cache
def _secured(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(host).configure_cert(context)
    return context


def _plain(url: str) -> str:
    """An address as it is compared: without fragment and login, ``/`` where there is no path."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2].lower(), path=parts.path or "/", fragment="").geturl()


class _Proxy(fakes._Handler):  # noqa: SLF001 - how it speaks HTTP is nobody else's business
    """Takes requests with whole addresses, and those within a tunnel."""

    tunnel = ""

    def do_CONNECT(self) -> None:  # noqa: N802 - the name that http.server looks for
        """Begin a tunnel, and end it right here."""
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.wfile.flush()
        host = self.path.rpartition(":")[0].strip("[]")
        self.tunnel = f"https://{self.path.removesuffix(':443')}"
        secured: Any = _secured(host).wrap_socket(self.connection, server_side=True)
        self.connection = secured
        self.rfile = secured.makefile("rb", self.rbufsize)
        self.wfile = secured.makefile("wb", self.wbufsize)
        self.close_connection = False

    def parse_request(self) -> bool:
        """Read the head of a request, and make its address whole."""
        if not super().parse_request():
            return False
        if self.command != "CONNECT" and "://" not in self.path:
            self.path = (self.tunnel or f"http://{self.headers.get('Host', '')}") + self.path
        return True

    def finish(self) -> None:
        """Close the tunnel too: the server only knows the connection that it began in."""
        super().finish()
        self.connection.close()
