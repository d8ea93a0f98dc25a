"""Addresses: read strictly, written for the wire, and which ones a redirect may lead to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from pollctl.http.failure import Failure

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9._~-]{1,253}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_SAFE = "/%:@!$&'()*+,;=~-._?"
# Metadata services that do not live on link-local addresses: AWS (IPv6), Azure, Alibaba.
_METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "168.63.129.16", "100.100.100.200")}


class Origin(NamedTuple):
    """What a connection leads to."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port; as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Address(NamedTuple):
    """An absolute address, taken apart.

    Attributes:
        origin: scheme, host and port.
        target: path and query as the request line has them.
        userinfo: user name and password, decoded, joined by a colon; empty without.
    """

    origin: Origin
    target: str
    userinfo: bytes


@lru_cache(maxsize=1024)
def address_of(url: str) -> Address:
    """Take an address apart.

    Raises:
        Failure: ``bad_address``.
    """
    if _CONTROL.search(url):
        raise Failure("bad_address", "the address holds control characters")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise Failure("bad_address", f"the address cannot be read: {error}") from error
    if "\\" in parts.netloc:  # other readers end the host there
        raise Failure("bad_address", "the address holds a backslash before its path")
    if scheme not in _PORTS:
        raise Failure("bad_address", f"the address begins with {scheme!r}; only http and https are spoken")
    target = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    userinfo, at, _ = parts.netloc.rpartition("@")
    origin = Origin(scheme, _ascii(host), _PORTS[scheme] if port is None else port)
    return Address(origin, target, unquote_to_bytes(userinfo if ":" in userinfo else f"{userinfo}:") if at else b"")


def redirected(base: str, location: str, allow_hosts: Sequence[str]) -> str:
    """Where a redirect leads.

    Args:
        base: the address that answered.
        location: its Location header.
        allow_hosts: further hosts that may be gone to: ``"host"`` for the usual port or ``"host:port"``.

    Raises:
        Failure: ``redirect``, when it must not be followed.
    """
    here = address_of(base).origin
    try:
        url = urljoin(base, location.strip()).partition("#")[0]
        there = address_of(url).origin
    except (Failure, ValueError) as error:
        raise Failure("redirect", f"redirect to an unusable address: {error}") from error
    if there == here:
        return url
    if there.scheme == "http" and here.scheme == "https":
        raise Failure("redirect", f"redirect from https to http at {there.authority} refused")
    if there.authority not in {host.lower() for host in allow_hosts}:
        raise Failure("redirect", f"redirect to another origin, {there.scheme}://{there.authority}, refused")
    refuse_metadata(there.host)
    return url


def refuse_metadata(host: str) -> None:
    """Refuse addresses where no redirect has any business: link-local ones and metadata services.

    Raises:
        Failure: ``redirect``.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return  # a name: what it resolves to is looked at once connected
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    if address.is_link_local or address.is_unspecified or address in _METADATA:
        raise Failure("redirect", f"redirect to the link-local or metadata address {host} refused")


def _ascii(host: str) -> str:
    try:
        plain = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise Failure("bad_address", f"the host name cannot be written in ASCII: {error}") from error
    if not _HOST.fullmatch(plain):
        raise Failure(
            "bad_address",
            "the address names no host" if not plain else "the host name holds strange characters",
        )
    return plain.lower()
