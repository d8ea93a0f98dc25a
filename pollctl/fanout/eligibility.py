"""Which requests may be made by another machine."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from pollctl.http.limits import REPEATABLE
from pollctl.urls import address_of, is_loopback

if TYPE_CHECKING:
    from pollctl.api.values import Request
    from pollctl.http.limits import Limits


def may_go(request: Request, limits: Limits, *, is_near: bool) -> bool:
    """Whether a request means the same there, and does no harm when it is made twice.

    Args:
        request: what is to be asked.
        limits: what holds for every exchange.
        is_near: whether the workers are on this machine.
    """
    is_plain = request.method in REPEATABLE and request.body is None and request.repeat and not request.is_local
    return is_plain and not _needs_what_is_here(limits) and (is_near or not _leads_here(request.url))


def _needs_what_is_here(limits: Limits) -> bool:
    certificates = limits.certificates
    return limits.trust_env or bool(certificates.for_all) or any(certificates.by_host.values())


def _leads_here(url: str) -> bool:
    """Whether an address means this machine, in whatever spelling the system takes; or nothing, as this machine shall say."""
    try:
        host = address_of(url).origin.host
    except ValueError:
        return True
    number = _number_of(host)
    return is_loopback(number) or number in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def _number_of(host: str) -> str:
    """An address as one writes it whose host is a number in another spelling: ``127.1``, ``0x7f.1``, ``::ffff:127.0.0.1``."""
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    with suppress(ValueError):
        address = ip_address(host)
        return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)
    return host
