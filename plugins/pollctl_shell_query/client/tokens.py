"""The token of an installed package: how it is asked for, and how long it is used."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from pollctl import Answer, ConfigError, HttpUrl, Request, oauth, shorten
from pollctl_shell_query.model import Settings, Token

EARLY = timedelta(minutes=5)
"""How long before its end a token is renewed, unless that is more than half of its life."""
_LONGEST = timedelta(days=1)
_SHORTEST_USE = timedelta(minutes=1)  # or one that ends at once would be asked for again and again
_NEEDED = ("auth_url", "client_id", "client_secret")


class Instances(Struct, frozen=True):
    """What the token endpoint adds to a grant: the addresses where the token is taken."""

    soap_instance_url: str
    rest_instance_url: str


def require_settings(settings: Settings) -> None:
    """Refuse to ask when the settings do not say where, or as who.

    Raises:
        ConfigError: what is missing, and how to write it.
    """
    missing = [name for name in _NEEDED if not getattr(settings, name)]
    if missing:
        raise ConfigError(*map(_how_to_set, missing))


def request_for(settings: Settings) -> Request:
    """The exchange that asks for a token; this endpoint wants JSON."""
    account = {"account_id": settings.account_id} if settings.account_id else {}
    url = f"{settings.auth_base}/v2/token"
    return oauth.client_credentials(url, settings.client_id, settings.client_secret, encoding="json", **account)


def read(answer: Answer, settings: Settings) -> Token:
    """The token of an answer.

    Raises:
        ValueError: there is none in it; with the reason.
    """
    grant = oauth.read_grant(answer, longest=_LONGEST)
    if grant.life is None:
        raise ValueError("the token endpoint does not say how long its token lasts")
    instances = msgspec.convert(grant.fields, Instances)
    return Token(
        access_token=grant.access_token,
        grantor=grantor(settings),
        renew_at=grant.granted_at + max(grant.life - EARLY, grant.life / 2, _SHORTEST_USE),
        soap_url=_instance(instances.soap_instance_url, settings),
        rest_url=_instance(instances.rest_instance_url, settings),
    )


def grantor(settings: Settings) -> str:
    """A digest that tells tokens of these settings from those of others."""
    login = f"{settings.auth_base}\n{settings.client_id.reveal()}\n{settings.account_id}"
    return hashlib.sha256(login.encode()).hexdigest()[:16]


def upstream_of(settings: Settings) -> str:
    """The name under which a pause of the token endpoint is remembered."""
    return f"token {urlsplit(settings.auth_base).netloc}"


def _how_to_set(name: str) -> str:
    example = (
        '"https://SUBDOMAIN.auth.marketingcloudapis.com"'
        if name == "auth_url"
        else f'{{ env = "SFMC_{name.upper()}" }}'
    )
    return f"[plugins.shell_query] {name} is empty; write {name} = {example}"


def _instance(url: str, settings: Settings) -> str:
    """Where to ask; a token that was got through TLS is not sent without."""
    if not _is_base(url) or (_is_tls(settings.auth_base) and not _is_tls(url)):
        raise ValueError(
            f"the token endpoint names {shorten(url, 100)!r} as an instance, which is not an acceptable address"
        )
    return url.rstrip("/")


def _is_tls(url: str) -> bool:
    return urlsplit(url).scheme == "https"


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(HttpUrl.parse(url))
    except ValueError:
        return False
    return not (parts.query or parts.fragment or parts.username)
