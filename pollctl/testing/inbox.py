"""Where messages arrive: a web hook (``json://``) and a mail server, both on the loopback device.

The mail server is aiosmtpd's, which ``pip install pollctl[testing]`` brings along.
"""

from __future__ import annotations

import json
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse


class Inbox(FakeUpstream):
    """Keeps what is sent to it; paths that end with a status, such as ``/B-401``, refuse with it until they are mended."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.requests: list[ServerRequest] = []
        self.is_mended = False

    @property
    def titles(self) -> list[str]:
        """Those of the messages, in the order of their arrival."""
        return [message["title"] for message in self.messages]

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of the requests, refused ones too."""
        return [request.headers["idempotency-key"] for request in self.requests]

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Take a message, or refuse it as its path says."""
        self.requests.append(request)
        status = request.path.rpartition("-")[2]
        if status.isdigit() and not self.is_mended:
            return ServerResponse(int(status), f"no entry for {request.path.strip('/')}".encode())
        self.messages.append(json.loads(request.body))
        return ServerResponse(204)


class MailServer:
    """Takes every mail, or refuses each with *refusal*."""

    def __init__(self, refusal: str = "") -> None:
        from aiosmtpd.controller import Controller

        self.mails: list[EmailMessage] = []
        self._refusal = refusal
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    @property
    def address(self) -> str:
        """An address of somebody who gets mail here."""
        return self.address_of("ann@example.net")

    def address_of(self, person: str) -> str:
        """The Apprise address of a person who gets mail here."""
        return f"mailto://127.0.0.1:{self._port}?from=pollctl@example.net&to={person}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd's
        """Take a mail."""
        if self._refusal:
            return self._refusal
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


def text_of(mail: EmailMessage) -> str:
    """What a person reads in a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n").strip() if part else ""
