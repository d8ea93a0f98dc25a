"""Which hosts ``no_proxy`` keeps from the proxy: names with what is below them, addresses, and networks."""

from __future__ import annotations

import ipaddress
import re

from pollctl.urls import Origin, address_of

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_SEPARATOR = re.compile(r"[,\s]+")
_WITH_PORT = re.compile(r"(\[[^\]]*\]|[^:]*):(\d{1,5})")


def is_exempt(origin: Origin, no_proxy: str) -> bool:
    """Whether *origin* is asked directly.

    Args:
        origin: where a request goes to.
        no_proxy: the variable: names (``example.net``, ``.example.net``), addresses (``::1``), networks (``10.0.0.0/8``),
            each but the last with a port or without; ``*`` is everything.
    """
    return any(_is_meant(origin, entry) for entry in _SEPARATOR.split(no_proxy.lower()) if entry)


def _is_meant(origin: Origin, entry: str) -> bool:
    if entry == "*":
        return True
    if match := _WITH_PORT.fullmatch(entry):
        entry = match[1]
        if int(match[2]) != origin.port:
            return False
    addresses = _addresses(origin.host)
    if not addresses:
        return _is_below(origin.host, entry)
    return any(_is_within(address, entry.strip("[]")) for address in addresses)


def _addresses(host: str) -> tuple[_IP, ...]:
    """The address that a host is, an IPv4 one within IPv6 in both forms; none for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (address, mapped) if mapped else (address,)


def _is_within(address: _IP, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False  # a name


def _is_below(host: str, name: str) -> bool:
    name = _in_ascii(name.removeprefix("*").strip("."))
    return bool(name) and f".{host.rstrip('.')}".endswith(f".{name}")


def _in_ascii(name: str) -> str:
    if name.isascii():
        return name
    try:
        return address_of(f"http://{name}/").origin.host
    except ValueError:
        return ""  # it cannot be the name of any host
