"""Addresses of requests, and which ones a redirect may lead to."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import quote, urljoin

from pollctl import urls
from pollctl.http.errors import Failure
from pollctl.urls import Address

# Metadata services that do not live on link-local addresses: AWS (IPv6), Azure, Alibaba.
_METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "168.63.129.16", "100.100.100.200")}

_ASCII = "".join(map(chr, range(128)))


def address_of(url: str) -> Address:
    """Take an address apart.

    Raises:
        Failure: ``bad_address``.
    """
    try:
        return urls.address_of(url)
    except ValueError as error:
        raise Failure("bad_address", str(error)) from error


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
        url = urljoin(base, _as_browsers_read(location)).partition("#")[0]
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


def _as_browsers_read(location: str) -> str:
    """A Location whose raw bytes, which arrive as Latin-1, are UTF-8, or are quoted one by one where they are not."""
    try:
        location = location.encode("latin-1").decode()
    except UnicodeDecodeError:
        location = quote(location.encode("latin-1"), _ASCII)
    except UnicodeEncodeError:
        pass  # not from the wire: text already
    return location.strip(" \t")


def refuse_metadata(host: str) -> None:
    """Refuse addresses where no redirect has any business: link-local ones and metadata services.

    Raises:
        Failure: ``redirect``.
    """
    try:
        there = ipaddress.ip_address(host)
    except ValueError:
        return  # a name: what it resolves to is looked at once connected
    mapped = there.ipv4_mapped if isinstance(there, ipaddress.IPv6Address) else None
    there = mapped or there
    if there.is_link_local or there.is_unspecified or there in _METADATA:
        raise Failure("redirect", f"redirect to the link-local or metadata address {host} refused")
