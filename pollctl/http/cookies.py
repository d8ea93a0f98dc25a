"""Cookies within one exchange: a redirect may set one and ask for it at once. None outlives the exchange or leaves its origin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.message import Message
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from types import SimpleNamespace
from typing import cast
from urllib.request import Request

from pollctl.urls import Address, Origin

LONGEST = 4096  # of one cookie with its attributes, as browsers have it
MOST = 16_384  # of all cookies of an exchange together
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


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
            if len(line) <= min(LONGEST, self._room) and not _UNSENDABLE.search(line):
                self._room -= len(line)
                self._keep(address, line)

    def added_to(self, headers: Mapping[str, str], address: Address) -> Mapping[str, str]:
        """The *headers* with the cookies that hold for *address*, after those that the request has itself."""
        if address.origin not in self._jars:
            return headers
        request = _request(address)
        self._jars[address.origin].add_cookie_header(request)
        found = request.get_header("Cookie")
        if not found:
            return headers
        name = next((name for name in headers if name.lower() == "cookie"), "Cookie")
        return {**headers, name: f"{headers[name]}; {found}" if name in headers else found}

    def _keep(self, address: Address, line: str) -> None:
        message = Message()
        message["Set-Cookie"] = line
        answer = cast("HTTPResponse", SimpleNamespace(info=lambda: message))  # all that the jar asks of it
        self._jars.setdefault(address.origin, CookieJar()).extract_cookies(answer, _request(address))


def _request(address: Address) -> Request:
    scheme, authority = address.origin.scheme, address.origin.authority
    return Request(f"{scheme}://{authority}{address.target}")  # noqa: S310 - never opened; the jar reads it
