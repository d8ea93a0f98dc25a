"""The cookies of a session of requests, and of one request in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

from pollctl.http import cookies
from pollctl.http.errors import Failure
from pollctl.http.redirects import address_of

if TYPE_CHECKING:
    import requests

    from pollctl.urls import Address


class Jars:
    """The cookies of one request, and of the session that what answers set is kept for.

    Cookies that the request names in a header of its own are sent in place of the session's, as requests has it.
    """

    def __init__(self, request: requests.PreparedRequest, of_session: CookieJar) -> None:
        sent: Any = getattr(request, "_cookies", None)  # the session's and those of this request
        self._of_session = of_session
        self._sent: CookieJar = of_session if sent is None else sent
        self._url = request.url or ""

    def keep(self, address: Address, lines: Sequence[str]) -> None:
        """Keep what an answer set; what is too long, too much or unsendable is passed over."""
        for line in lines:
            if cookies.is_acceptable(line, cookies.MOST - _size(self._of_session)):
                for jar in {id(jar): jar for jar in (self._sent, self._of_session)}.values():
                    cookies.put(line, jar, address)

    def added_to(self, headers: Mapping[str, str], address: Address) -> Mapping[str, str]:
        """The *headers* with the cookies for *address*."""
        return cookies.with_cookies(headers, self._sent, address)

    def without_their_own(self, headers: dict[str, str]) -> dict[str, str]:
        """The *headers* of the request without the cookies that ``added_to`` adds."""
        named = next((name for name in headers if name.lower() == "cookie"), None)
        if named is None:
            return headers
        try:
            own = self.added_to({}, address_of(self._url)).get("Cookie")
        except Failure:
            return headers  # which the exchange will say
        if headers[named] != own:
            self._sent = CookieJar()
            return headers
        return {name: value for name, value in headers.items() if name != named}


def put_all(lines: Iterable[str], jar: CookieJar, address: Address) -> None:
    """Put what one answer set into the *jar* of it."""
    for line in lines:
        if cookies.is_acceptable(line, cookies.MOST):
            cookies.put(line, jar, address)


def _size(jar: Iterable[Any]) -> int:
    return sum(len(cookie.name) + len(cookie.value or "") for cookie in jar)
