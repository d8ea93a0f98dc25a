"""One hop of an exchange: an easy handle of libcurl, and what its errors mean."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pycurl

from pollctl.api.values import Phases
from pollctl.http.curl.answers import Incoming
from pollctl.http.errors import Failure, Reset, cut_within_body, cut_within_lines, unasked_interim
from pollctl.http.journey import Journey, Whole
from pollctl.http.redirects import refuse_metadata
from pollctl.http.strict_response import SWITCHING

if TYPE_CHECKING:
    from pollctl.http.client_certificate import ClientCertificate

_LONGEST_MS = 2**31 - 1
_CLOSED = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_OF_THE_SOCKET = re.compile(r"Recv failure|.*SSL_read")
_TRUST = "SSL certificate problem: "


class Transfer:
    """A handle that makes one hop after another; of those with a certificate or behind a redirect, one.

    Args:
        method: GET or HEAD.
        authorities: path of those that https is verified by; empty for http.

    Attributes:
        curl: the handle.
        job: what it is at work for.
    """

    def __init__(self, method: str, authorities: str) -> None:
        self.curl = curl = pycurl.Curl()
        self.job: Any = None
        self.method = method
        self.is_tls = bool(authorities)
        self._incoming = Incoming(is_head=method == "HEAD")
        self._lines: list[bytes] = []
        self._is_fresh = False
        self._refused: Failure | None = None
        for option, value in (
            (pycurl.HEADERFUNCTION, self._incoming.lines.append),
            (pycurl.WRITEFUNCTION, self._incoming.take_piece),
            (pycurl.NOSIGNAL, 1),
            (pycurl.NOBODY, int(method == "HEAD")),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.PROXY, ""),
            (pycurl.NOPROXY, "*"),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.HTTP_TRANSFER_DECODING, 0),
            (pycurl.HTTP_CONTENT_DECODING, 0),
        ):
            curl.setopt(option, value)
        if authorities:
            curl.setopt(pycurl.CAINFO, authorities)
            curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)

    def aim(
        self,
        journey: Journey,
        lines: list[bytes],
        until: float,
        max_body: int,
        addresses: tuple[str, ...],
        *,
        fresh: bool,
    ) -> None:
        """Get ready to ask where a request is now.

        Args:
            journey: where it is.
            lines: the headers to send; not to be changed any more.
            until: the moment of ``time.monotonic`` by which the answer must be whole.
            max_body: largest decoded body in bytes.
            addresses: what the name stands for; none where it is an address itself.
            fresh: whether no kept connection will do.

        Raises:
            TimeoutError: it is too late.
        """
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        curl, origin = self.curl, journey.address.origin
        self._incoming.reset(max_body)
        curl.setopt(pycurl.URL, f"{origin.scheme}://{origin.authority}{journey.address.target}")
        curl.setopt(pycurl.TIMEOUT_MS, min(_LONGEST_MS, int(left * 1000) + 1))
        if lines is not self._lines:
            curl.setopt(pycurl.HTTPHEADER, lines)
            self._lines = lines
        if fresh is not self._is_fresh:
            curl.setopt(pycurl.FRESH_CONNECT, int(fresh))
            self._is_fresh = fresh
        if addresses:
            curl.setopt(pycurl.RESOLVE, [f"{origin.host}:{origin.port}:{','.join(addresses)}"])

    def show(self, certificate: ClientCertificate) -> None:
        """Show a certificate, which was found to be usable."""
        self.curl.setopt(pycurl.SSLCERT, str(certificate.path))
        self.curl.setopt(pycurl.SSLKEY, str(certificate.key_file))

    def refuse_metadata(self) -> None:
        """Ask none of the addresses that no redirect may lead to."""
        self.curl.setopt(pycurl.PREREQFUNCTION, self._look_at_address)

    def whole(self, code: int, message: str, url: str, name_ms: float) -> Whole:
        """The answer, once libcurl is done with it.

        Args:
            code: of libcurl's error, or 0.
            message: what it says of that.
            url: what was asked for.
            name_ms: how long its name took.

        Raises:
            Failure, OSError: why there is none.
        """
        if code:
            raise self._refused or self._incoming.failure or _failure(code, message, self.curl, self._incoming.lines)
        upstream = self.curl.getinfo(pycurl.PRIMARY_IP)
        return self._incoming.whole(upstream=upstream, url=url, phases=self._phases(name_ms))

    def _phases(self, name_ms: float) -> Phases:
        get = self.curl.getinfo
        name, connected = get(pycurl.NAMELOOKUP_TIME_T), get(pycurl.CONNECT_TIME_T)
        secured, asked, began = (
            get(pycurl.APPCONNECT_TIME_T),
            get(pycurl.PRETRANSFER_TIME_T),
            get(pycurl.STARTTRANSFER_TIME_T),
        )
        return Phases(
            name_ms=name_ms,
            connect_ms=max(0, connected - name) / 1000,
            tls_ms=max(0, secured - connected) / 1000,
            first_byte_ms=max(0, began - asked) / 1000,
        )

    def _look_at_address(self, address: str, *_: Any) -> int:
        try:
            refuse_metadata(address)
        except Failure as failure:
            self._refused = failure
            return int(pycurl.PREREQFUNC_ABORT)
        return int(pycurl.PREREQFUNC_OK)


def _failure(code: int, message: str, curl: pycurl.Curl, lines: Sequence[bytes]) -> BaseException:  # noqa: C901, PLR0911 - a table
    """What an error of libcurl is to the rules, in the words of the other engine where it has some."""
    number = curl.getinfo(pycurl.OS_ERRNO)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return TimeoutError()
    if code == pycurl.E_COULDNT_CONNECT:
        return _unconnected(number)
    if code in (pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT):
        return Failure("tls", f"certificate refused: {message.removeprefix(_TRUST)}")
    if code == pycurl.E_SSL_CONNECT_ERROR:
        is_closed = number in _CLOSED or "SSL_ERROR_SYSCALL" in message or "unexpected eof" in message
        return Reset("closed within TLS") if is_closed else Failure("tls", f"TLS failed: {message}")
    if code == pycurl.E_PARTIAL_FILE:
        return cut_within_body()
    if code == pycurl.E_GOT_NOTHING and lines:
        return _interim_alone(lines)
    is_broken = code == pycurl.E_RECV_ERROR and number in _CLOSED and _OF_THE_SOCKET.match(message)
    if is_broken or code in (pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR):
        return Reset()
    if code in (pycurl.E_SSL_CERTPROBLEM, pycurl.E_SSL_CACERT_BADFILE, pycurl.E_OUT_OF_MEMORY, pycurl.E_FAILED_INIT):
        return Failure("local", message)
    if code == pycurl.E_URL_MALFORMAT:
        return Failure("bad_address", f"the address cannot be asked: {message}")
    return Failure("protocol", f"no proper HTTP: {message}")


def _unconnected(number: int) -> BaseException:
    """Why there is no connection; libcurl does not say that there is no descriptor left for one."""
    try:
        os.close(os.dup(2))
    except OSError as error:
        return error
    number = number or errno.EHOSTUNREACH
    return OSError(number, os.strerror(number))


def _interim_alone(lines: Sequence[bytes]) -> Failure:
    if any(line.startswith(b"HTTP/1.1 101") for line in lines):
        return unasked_interim(SWITCHING)
    return cut_within_lines()
