"""Where mail arrives: a server on the loopback device.

It is aiosmtpd's, which ``pip install pollctl[testing]`` brings along.
"""

from __future__ import annotations

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self


class MailServer:
    """Takes every mail."""

    def __init__(self) -> None:
        from aiosmtpd.controller import Controller

        self.mails: list[EmailMessage] = []
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
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


def text_of(mail: EmailMessage) -> str:
    """What a person reads in a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n").strip() if part else ""
