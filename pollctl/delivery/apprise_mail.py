"""Mail as Apprise sends it, over connections as pollctl makes them: the addresses of a server's name are tried side by side.

smtplib tries them one after another and gives each the whole time, so that one that is dead keeps a mail from being sent.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from socket import socket
from typing import Any

from pollctl.http.connecting import open_socket

_is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)
_SMTP: Any = smtplib.SMTP
_connected_by_smtplib = _SMTP._get_socket  # noqa: SLF001 - it is there to be replaced: SMTP_SSL does so


@contextmanager
def connected_side_by_side() -> Iterator[None]:
    """While a mail is sent in this context, smtplib connects as everything else does."""
    _SMTP._get_socket = _get_socket  # noqa: SLF001 - in any other context it does what it did before
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def _get_socket(smtp: smtplib.SMTP, host: str, port: int, timeout: float) -> socket:
    if not _is_ours.get():
        plain: socket = _connected_by_smtplib(smtp, host, port, timeout)
        return plain
    connected = open_socket(host, port, timeout=timeout).socket
    connected.settimeout(timeout)
    return connected
