"""Why an exchange brought nothing: from what Python raises to a kind and a sentence."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

import urllib3

from pollctl.api.values import FetchError, FetchErrorKind
from pollctl.redaction import redact

_LOCAL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EACCES, errno.EPERM}
_NO_NETWORK = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""This machine has no way there, whatever the target is doing."""
_NO_SUCH_NAME = {socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY}
"""The name servers know that there is no such name, or no address of it; other errors are theirs, or ours."""
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

    def __init__(self, what: str = "connection reset, or closed without an answer") -> None:
        super().__init__("reset", what)


def cut_within_lines() -> Failure:
    """The upstream closed where another line of its answer must come."""
    return Failure("truncated", "closed within its headers, chunks or trailers")


def cut_within_body() -> Failure:
    """The upstream closed where more of the body must come."""
    return Failure("truncated", "closed before the end of the body")


def unasked_interim(status: int) -> Failure:
    """An interim answer stands where the final one must."""
    return Failure("protocol", f"an interim answer ({status}) that was not asked for")


def fetch_error(error: BaseException) -> FetchError:
    """What an error of a plugin's own connection is to the rules: the kind that an exchange would have answered, masked."""
    failure = failure_of(error)
    return FetchError(kind=failure.kind, message=redact(str(failure)))


def fetch_error_of(error: BaseException, where: str, allowed_s: float) -> FetchError:
    """What an error of an exchange is to the rules, with *where* it was asked for in front.

    Args:
        error: what was raised.
        where: host and port of the request; its address where that cannot be read.
        allowed_s: the time limit of the exchange.
    """
    failure = failure_of(error)
    what = f"no whole answer within {allowed_s:g} s" if failure.kind == "timeout" else str(failure)
    return FetchError(kind=failure.kind, message=redact(f"{where}: {what}"))


def failure_of(error: BaseException) -> Failure:  # noqa: C901, PLR0911 - a ladder
    """The failure that an error of urllib3, http.client, socket or ssl stands for."""
    if isinstance(error, Failure):
        return error
    if isinstance(error.__cause__, Failure):  # of a session, whose errors are those of requests
        return error.__cause__
    if isinstance(error, urllib3.exceptions.HTTPError):
        return _of_urllib3(error)
    if isinstance(error, TimeoutError):
        return Failure("timeout", "no answer in time")
    if isinstance(error, socket.gaierror):
        return _of_resolver(error)
    if isinstance(error, ConnectionRefusedError):
        return Failure("refused", "connection refused")
    if isinstance(error, _RESET):
        return Reset()
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, http.client.IncompleteRead):
        return cut_within_body()
    if isinstance(error, http.client.HTTPException | ValueError):
        return Failure("protocol", f"no proper HTTP: {type(error).__name__} {error}")
    # A bug, or something that no upstream showed before: it must not hide what the other targets answered.
    return Failure("raised", f"{type(error).__name__}: {error}")


def _of_urllib3(error: urllib3.exceptions.HTTPError) -> Failure:
    """What urllib3 wraps is the cause; without one it speaks for itself."""
    if isinstance(error, urllib3.exceptions.IncompleteRead | urllib3.exceptions.InvalidChunkLength):
        return cut_within_body()
    if error.__cause__ is not None:
        return failure_of(error.__cause__)
    kind: FetchErrorKind = "truncated" if "prematurely" in str(error) else "protocol"
    return Failure(kind, str(error))


def _of_resolver(error: socket.gaierror) -> Failure:
    if error.errno in _NO_SUCH_NAME:
        return Failure("dns", f"no address: {error.strerror}")
    if error.errno == socket.EAI_AGAIN:
        return Failure("local", "no network here: no name server answers")
    return Failure("local", f"no address: {error.strerror}")


def _of_system(error: OSError) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure("tls", f"certificate refused: {error.verify_message}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Reset("closed within TLS")
    if isinstance(error, ssl.SSLError):
        return Failure("tls", f"TLS failed: {error.reason or error}")
    if error.errno in _NO_NETWORK:
        return Failure("local", f"no network here: {error.strerror}")
    if error.errno in _LOCAL:
        return Failure("local", f"this machine cannot connect: {error.strerror}")
    return Failure("unreachable", error.strerror or str(error))
