"""The token of an installed package: how it is asked for, and how long it is used."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from urllib.parse import urlsplit

from msgspec import Struct

from pollctl import Answer, HttpUrl, Request, Secret, strict_json
from pollctl_shell_query.model.decisions import Settings, Token

EARLY = timedelta(minutes=5)
"""How long before its end a token is renewed, unless that is more than half of its life."""
_LONGEST = timedelta(days=1)
_SHORTEST_USE = timedelta(minutes=1)  # or one that is said to be over at once would be asked for again and again


class Granted(Struct, frozen=True):
    """The body of the token endpoint."""

    access_token: str
    expires_in: int | float
    soap_instance_url: str
    rest_instance_url: str


def request_for(settings: Settings) -> Request:
    """The exchange that asks for a token."""
    body = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id.reveal(),
        "client_secret": settings.client_secret.reveal(),
        **({"account_id": settings.account_id} if settings.account_id else {}),
    }
    return Request(
        url=f"{settings.auth_base}/v2/token",
        method="POST",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=json.dumps(body).encode(),
        max_body=64 * 1024,
    )


def read(answer: Answer, settings: Settings) -> Token:
    """The token of an answer.

    Raises:
        ValueError: there is none in it; with the reason.
    """
    if answer.error is not None:
        raise ValueError(answer.error.message)
    if not answer.is_ok:
        raise ValueError(f"the token endpoint answered {answer.status}")
    granted: Granted = strict_json(answer.body, Granted)
    if not _is_token(granted.access_token):
        raise ValueError("the token endpoint answered with something that is no token")
    life = timedelta(seconds=min(max(granted.expires_in, 0), _LONGEST.total_seconds()))
    return Token(
        access_token=Secret(granted.access_token),
        grantor=grantor(settings),
        renew_at=answer.started_at + max(life - EARLY, life / 2, _SHORTEST_USE),
        soap_url=_instance(granted.soap_instance_url, settings),
        rest_url=_instance(granted.rest_instance_url, settings),
    )


def grantor(settings: Settings) -> str:
    """What tells tokens of these settings from those of others."""
    asked = f"{settings.auth_base}\n{settings.client_id.reveal()}\n{settings.account_id}"
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def upstream_of(settings: Settings) -> str:
    """The name under which a pause of the token endpoint is remembered."""
    return f"token {urlsplit(settings.auth_base).netloc}"


def _instance(url: str, settings: Settings) -> str:
    """Where to ask; a token that was got through TLS is not sent without."""
    if not _is_base(url) or (_is_tls(settings.auth_base) and not _is_tls(url)):
        raise ValueError(f"the token endpoint names {url[:100]!r} as an instance, which is no address to go to")
    return url.rstrip("/")


def _is_tls(url: str) -> bool:
    return urlsplit(url).scheme == "https"


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(HttpUrl.parse(url))
    except ValueError:
        return False
    return not (parts.query or parts.fragment or parts.username)


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
