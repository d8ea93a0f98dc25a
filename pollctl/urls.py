"""Addresses, read strictly and written for the wire."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9._~-]{1,253}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_BEYOND_HOST = re.compile(r"[/?#@\\]")
_WITH_PORT = re.compile(r":\d+\Z", re.ASCII)
_LONGEST_HOST = 253
_SAFE = "/%:@!$&'()*+,;=~-._?"


class Origin(NamedTuple):
    """What a connection leads to."""

    scheme: str
    host: str
    port: int

    @property
    def bracketed(self) -> str:
        """The host, as it stands before a port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port; as the Host header has them."""
        return self.bracketed if self.port == _PORTS[self.scheme] else f"{self.bracketed}:{self.port}"


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
        ValueError: what is wrong with it, in a sentence without it.
    """
    if _CONTROL.search(url):
        raise ValueError("the address holds control characters")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"the address cannot be read: {error}") from error
    if "\\" in parts.netloc:  # other readers end the host there
        raise ValueError("the address holds a backslash before its path")
    if port == 0:
        raise ValueError("the address names port 0, to which nothing can be sent")
    if scheme not in _PORTS:
        raise ValueError(f"the address begins with {scheme!r}; only http and https are spoken")
    target = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    userinfo, at, _ = parts.netloc.rpartition("@")
    origin = Origin(scheme, _ascii(host), _PORTS[scheme] if port is None else port)
    return Address(origin, target, unquote_to_bytes(userinfo if ":" in userinfo else f"{userinfo}:") if at else b"")


def named_host(text: str) -> str:
    """A host as settings name it, with a port or without, in one spelling: ``Faß.example:443``, ``[::1]``.

    Raises:
        ValueError: it is not a host.
    """
    if _BEYOND_HOST.search(text):
        raise ValueError("a host has neither scheme, path nor login")
    origin = address_of(f"https://{text}/").origin
    return f"{origin.bracketed}:{origin.port}" if _WITH_PORT.search(text) else origin.bracketed


def _ascii(host: str) -> str:
    try:
        plain = host if host.isascii() else _idna(host)
    except UnicodeError as error:
        raise ValueError(f"the host name cannot be written in ASCII: {error}") from error
    if not _HOST.fullmatch(plain):
        raise ValueError("the address names no host" if not plain else "the host name holds strange characters")
    return plain.lower()


def _idna(host: str) -> str:
    """A name as IDNA 2008 writes it, after the mapping of UTS 46 that browsers do: ``faß`` is not ``fass``.

    Labels in ASCII stay as they are: names in use hold underscores, which IDNA does not know.

    Raises:
        UnicodeError: it is not such a name.
    """
    import idna

    if len(host) > _LONGEST_HOST:
        raise UnicodeError("it is too long")
    labels = idna.uts46_remap(host, std3_rules=False, transitional=False).split(".")
    if "" in labels[:-1]:
        raise UnicodeError("a part of it is empty")
    return ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)


def is_loopback(host: str) -> bool:
    """Whether a host, as an address names it, is this machine and no other."""
    import ipaddress

    name = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
