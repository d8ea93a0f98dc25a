"""Cookies: within one exchange, of which none outlives it or leaves its origin, and those of a session, which its jar keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.message import Message
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from types import SimpleNamespace
from typing import Protocol, cast
from urllib.request import Request

from pollctl.urls import Address, Origin

LONGEST = 4096  # of one cookie with its attributes, as browsers have it
MOST = 16_384  # of all cookies of an exchange together
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class CookieStore(Protocol):
    """Where the cookies of an exchange are kept."""

    def keep(self, address: Address, lines: Sequence[str]) -> None:
        """Keep what the answer from *address* set with its Set-Cookie headers, *lines*."""

    def added_to(self, headers: Mapping[str, str], address: Address) -> Mapping[str, str]:
        """The *headers* with the cookies that hold for *address*."""


class Cookies:
    """What the answers of one exchange set, by origin."""

    def __init__(self) -> None:
        self._jars: dict[Origin, CookieJar] = {}
        self._room = MOST

    def keep(self, address: Address, lines: Sequence[str]) -> None:
        """Keep what the answer from *address* set; what is too long, too many or unsendable is passed over.

        Args:
            address: where the answer came from.
            lines: its Set-Cookie headers.
        """
        for line in lines:
            if is_acceptable(line, self._room):
                self._room -= len(line)
                put(line, self._jars.setdefault(address.origin, CookieJar()), address)

    def added_to(self, headers: Mapping[str, str], address: Address) -> Mapping[str, str]:
        """The *headers* with the cookies that hold for *address*, after those that the request has itself."""
        if address.origin not in self._jars:
            return headers
        return with_cookies(headers, self._jars[address.origin], address)


def is_acceptable(line: str, room: int) -> bool:
    """Whether a Set-Cookie header is kept where there is *room* for so many characters."""
    return len(line) <= min(LONGEST, room) and not _UNSENDABLE.search(line)


def put(line: str, jar: CookieJar, address: Address) -> None:
    """Put the cookie of a Set-Cookie header that came from *address* into a jar."""
    message = Message()
    message["Set-Cookie"] = line
    answer = cast("HTTPResponse", SimpleNamespace(info=lambda: message))  # all that the jar asks of it
    jar.extract_cookies(answer, _request(address))


def with_cookies(headers: Mapping[str, str], jar: CookieJar, address: Address) -> Mapping[str, str]:
    """The *headers* with the cookies of a jar that hold for *address*, after those that are among them."""
    request = _request(address)
    jar.add_cookie_header(request)
    found = request.get_header("Cookie")
    if not found:
        return headers
    name = next((name for name in headers if name.lower() == "cookie"), "Cookie")
    return {**headers, name: f"{headers[name]}; {found}" if name in headers else found}


def _request(address: Address) -> Request:
    scheme, authority = address.origin.scheme, address.origin.authority
    return Request(f"{scheme}://{authority}{address.target}")  # noqa: S310 - never opened; the jar reads it
