"""Where a request leads: from redirect to redirect, with what is sent to each address on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pollctl.api.values import Phases, Request
from pollctl.http.client_certificate import ClientCertificate
from pollctl.http.cookies import Cookies, CookieStore
from pollctl.http.errors import Failure
from pollctl.http.limits import REPEATABLE, Limits
from pollctl.http.redirects import address_of, redirected
from pollctl.urls import Address

MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = ("content-length", "transfer-encoding", "connection")
_HARMLESS = ("accept", "accept-language")  # what goes along to another origin


class Whole(NamedTuple):
    """An answer with its whole body.

    Attributes:
        cookies: its Set-Cookie headers one by one.
        upstream: the address of the machine that sent it.
        url: where it was asked for, behind redirects.
        phases: what its time went into, if that was measured.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = ()
    upstream: str = ""
    url: str = ""
    phases: Phases | None = None


class Journey:
    """A request on its way; each engine asks at ``address``, until ``goes_on`` says that it has arrived.

    Args:
        request: what to ask.
        limits: what holds where the request sets nothing of its own.
        cookies: what keeps the cookies that redirects set; its own if None.

    Attributes:
        address: where to ask now.
        home: the origin of the request.
        has_left_home: whether a redirect led away from the origin of the request.

    Raises:
        Failure: ``bad_address``.
    """

    def __init__(self, request: Request, limits: Limits, cookies: CookieStore | None = None) -> None:
        self.address = address_of(request.url)
        self.home = self.address.origin
        self.has_left_home = False
        self._request = request
        self._limits = limits
        self._url = request.url
        self._cookies = Cookies() if cookies is None else cookies
        self._headers: Mapping[str, str] | None = None
        self._redirects_left = MOST_REDIRECTS
        self._may_follow = request.follow and request.method in REPEATABLE

    @property
    def url(self) -> str:
        """Where to ask now, as it was written."""
        return self._url

    @property
    def was_redirected(self) -> bool:
        """Whether a redirect led to another origin than the request's."""
        return self.address.origin != self.home

    @property
    def certificate(self) -> ClientCertificate | None:
        """What is shown where it asks now."""
        return self._limits.certificates.to_show(self.address.origin, has_left_home=self.has_left_home)

    def words(self, more: Mapping[str, str] = {}) -> dict[str, str]:
        """The headers as they go over the wire to the present address, with *more* for a proxy.

        Raises:
            Failure: ``protocol``, when one cannot be sent; ``local``, when ``.netrc`` cannot be read.
        """
        own = {"Host": self.address.origin.authority, "User-Agent": self._limits.user_agent}
        own |= {"Accept": "*/*", "Accept-Encoding": "gzip", **more}
        headers = self.headers()
        names = {name.lower() for name in headers}
        sent = {name: value for name, value in own.items() if name.lower() not in names} | dict(headers)
        refuse_unsendable(self._request.method, sent)
        return sent

    def headers(self) -> Mapping[str, str]:
        """What the request itself says to the present address, with credentials and cookies.

        Raises:
            Failure: ``local``, when ``.netrc`` cannot be read.
        """
        if self._headers is None:
            self._headers = _own_headers(self._request, self.address, self._limits)
        return self._cookies.added_to(self._headers, self.address)

    def goes_on(self, whole: Whole) -> bool:
        """Take what the present address answered; says whether it sends on, to what is then the present address.

        Raises:
            Failure: ``redirect``, when it sends on too often or where nobody may go.
        """
        location = whole.headers.get("location", "")
        if whole.status not in _REDIRECTS or not location or not self._may_follow:
            return False
        if not self._redirects_left:
            raise Failure("redirect", f"more than {MOST_REDIRECTS} redirects")
        self._redirects_left -= 1
        self._cookies.keep(self.address, whole.cookies)
        self._url = redirected(self._url, location, self._request.allow_hosts)
        there = address_of(self._url)
        if there.origin != self.address.origin:
            self._headers = {name: value for name, value in (self._headers or {}).items() if name.lower() in _HARMLESS}
        self.address = there
        self.has_left_home |= self.was_redirected
        return True


def _own_headers(request: Request, home: Address, limits: Limits) -> Mapping[str, str]:
    """The request's headers, with credentials from its address or from ``.netrc`` when they name none."""
    if not home.userinfo and not limits.trust_env:
        return request.headers
    if any(name.lower() == "authorization" for name in request.headers):
        return request.headers
    userinfo = home.userinfo
    if not userinfo:
        from pollctl.http.environment import userinfo_for

        userinfo = userinfo_for(home.origin.host)
    if not userinfo:
        return request.headers
    from urllib3.util import make_headers

    return {**request.headers, **make_headers(basic_auth=userinfo.decode("latin-1"))}


def refuse_unsendable(method: str, headers: Mapping[str, str]) -> None:
    """Refuse what would not arrive as it is meant.

    Raises:
        Failure: ``protocol``.
    """
    if not _TOKEN.fullmatch(method):
        raise Failure("protocol", f"no HTTP method: {method!r}")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or _BAD_VALUE.search(value) or name.lower() in _FRAMING:
            raise Failure(
                "protocol", f"the header {name!r} cannot be sent: not a plain name and value, or not yours to set"
            )
