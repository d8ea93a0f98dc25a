"""Addresses of people, as Apprise writes them: settings, commands, checks and delivery read them alike.

Each is a secret: who knows it can write to that person, and often holds a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pollctl.redaction import Secret, know_login

_BETWEEN = r"[\s,;]+(?=[A-Za-z0-9]{1,32}://)"


def split_addresses(texts: Secret | Iterable[Secret]) -> list[Secret]:
    """The addresses in one secret or several, each once: Apprise takes many in one text, with commas or blanks between."""
    given = [texts] if isinstance(texts, Secret) else list(texts)
    parts = [part for one in given for part in re.split(_BETWEEN, one.reveal().strip(" \t\r\n,;"))]
    found = [Secret(part) for part in dict.fromkeys(parts)]
    for one in found:
        know_login(one.reveal())
    return found


def read_addresses(text: str) -> list[Secret]:
    """The addresses that a person gave, each of which Apprise knows; nothing is sent.

    Raises:
        ValueError: one is not valid; of what was given only the scheme is repeated, the rest may be a secret.
    """
    found = split_addresses(Secret(text))
    for one in found:
        if not is_address(one.reveal()):
            raise ValueError(
                f"{service(one.reveal())} is not an address that Apprise supports, such as "
                "mailtos://USER:PASSWORD@mail.example.net"
            )
    return found


def is_address(url: str) -> bool:
    """Whether Apprise knows what to do with an address; nothing is sent."""
    import apprise

    return url.isprintable() and isinstance(
        apprise.Apprise.instantiate(url, suppress_exceptions=True), apprise.NotifyBase
    )


def service(url: str) -> str:
    """What may be said of an address: its scheme; the rest is credentials as often as not."""
    scheme = urlsplit(url).scheme if "://" in url else ""
    return f"{scheme}://…" if scheme else "what was given"
