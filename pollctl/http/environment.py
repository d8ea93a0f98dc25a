"""What the environment says about proxies and passwords; looked at only with ``trust_env``."""

from __future__ import annotations

import netrc
from contextlib import suppress
from urllib.request import getproxies

from pollctl.http.errors import Failure
from pollctl.http.no_proxy import is_exempt
from pollctl.http.redirects import address_of
from pollctl.urls import Address, Origin


def proxy_for(origin: Origin) -> Address | None:
    """The proxy that the variables (``https_proxy``, ``no_proxy`` ...) name for *origin*.

    Raises:
        Failure: ``local``, when what they name is not an http proxy.
    """
    proxies = getproxies()
    url = proxies.get(origin.scheme) or proxies.get("all")
    if not url or is_exempt(origin, proxies.get("no", "")):
        return None
    try:
        proxy = address_of(url if "://" in url else f"http://{url}")
    except Failure as error:
        raise Failure("local", f"the proxy of the environment cannot be used: {error}") from error
    if proxy.origin.scheme != "http":
        raise Failure(
            "local",
            f"the proxy of the environment cannot be used: {proxy.origin.scheme} is not spoken to proxies",
        )
    return proxy


def userinfo_for(host: str) -> bytes:
    """``user:password`` from ``.netrc`` (or the file that ``$NETRC`` names), empty when there is none.

    Raises:
        Failure: ``local``, when the file cannot be read.
    """
    import os

    try:
        with suppress(FileNotFoundError):
            found = netrc.netrc(os.environ.get("NETRC")).authenticators(host)
            return f"{found[0]}:{found[2]}".encode() if found else b""
    except (OSError, netrc.NetrcParseError) as error:
        raise Failure("local", f"the .netrc file cannot be read: {error}") from error
    return b""
