"""Why an exchange brought nothing: from what Python raises to a kind and a sentence."""

from __future__ import annotations

import errno
import socket
import sys

from pollctl.model import FetchErrorKind

_LOCAL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
_RESET = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


class Failure(Exception):  # noqa: N818 - a kind of answer in the end, and no error that leaves this package
    """An exchange failed.

    Args:
        kind: what to decide by.
        what: a sentence without the host; it may hold secrets and control characters, which are masked where
            it is shown.
    """

    def __init__(self, kind: FetchErrorKind, what: str) -> None:
        super().__init__(what)
        self.kind = kind


class Reset(Failure):
    """The connection was reset, or closed before the answer began: worth one repeat of a GET."""

    def __init__(self, what: str) -> None:
        super().__init__("reset", what)


def failure_of(error: Exception) -> Failure:  # noqa: PLR0911 - a ladder
    """The failure that an error of socket or ssl stands for."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TimeoutError):
        return Failure("timeout", "no answer in time")
    if isinstance(error, socket.gaierror):
        return Failure("local" if error.errno == socket.EAI_SYSTEM else "dns", f"no address: {error.strerror}")
    if isinstance(error, ConnectionRefusedError):
        return Failure("refused", "connection refused")
    if isinstance(error, _RESET):
        return Reset("connection reset")
    if isinstance(error, OSError):
        return _of_system(error)
    # A bug, or something that no upstream showed before: it must not hide what the other targets answered.
    return Failure("raised", f"{type(error).__name__}: {error}")


def _of_system(error: OSError) -> Failure:
    if error.errno in _LOCAL:
        return Failure("local", f"this machine cannot connect: {error.strerror}")
    if "ssl" in sys.modules:  # else it cannot be of TLS; and without a free file descriptor an import fails
        import ssl

        if isinstance(error, ssl.SSLCertVerificationError):
            return Failure("tls", f"certificate refused: {error.verify_message}")
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Reset("closed within TLS")
        if isinstance(error, ssl.SSLError):
            return Failure("tls", f"TLS failed: {error.reason or error}")
    return Failure("unreachable", error.strerror or str(error))
