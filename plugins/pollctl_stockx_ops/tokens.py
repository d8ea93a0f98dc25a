"""Refreshing a login at the token endpoint."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from msgspec import Struct

from pollctl import Answer, Request, Secret, strict_json
from pollctl_stockx_ops.answers import shown
from pollctl_stockx_ops.model import Expired, Settings, Tokens
from pollctl_stockx_ops.store import Login

NEAR_ITS_END = timedelta(seconds=60)
"""An access token with no more time than this is refreshed before it is used."""
AUDIENCE = "gateway.stockx.com"
_LONGEST = timedelta(days=3650)


class Granted(Struct, frozen=True):
    """The body of the token endpoint; without ``refresh_token`` the old one stays."""

    access_token: str
    refresh_token: str | None = None
    expires_in: int | float | None = None


class Denied(Struct, frozen=True):
    """The body of a refusal (RFC 6749 §5.2)."""

    error: str = ""


def is_fresh(login: Login, now: datetime) -> bool:
    """Whether the access token can be used as it is; one whose end nobody knows can, until it is refused."""
    if login.access_token is None:
        return False
    return login.expires_at is None or login.expires_at - now > NEAR_ITS_END


def request_for(login: Login, settings: Settings) -> Request:
    """The exchange that refreshes a login."""
    form = {
        "grant_type": "refresh_token",
        "client_id": settings.client_id.reveal(),
        "client_secret": settings.client_secret.reveal(),
        "refresh_token": login.refresh_token.reveal() if login.refresh_token else "",
        "audience": AUDIENCE,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return Request(url=settings.token_url, method="POST", headers=headers, body=urlencode(form).encode())


def read(answer: Answer, login: Login) -> Tokens | Expired | str:
    """The fresh tokens, or that the login has expired, or why it could not be refreshed now."""
    if answer.error is not None:
        return answer.error.message
    try:
        if not answer.is_ok:
            return _refused(answer, login)
        granted: Granted = strict_json(answer.body, Granted)
    except (ValueError, RecursionError) as error:
        return f"the token endpoint answered {answer.status} with an unreadable body: {shown(str(error))}"
    if not _is_token(granted.access_token) or not _is_token(granted.refresh_token or "-"):
        return "the token endpoint answered with something that is no token"
    return Tokens(
        user_id=login.user_id,
        connection=login.connection,
        access_token=Secret(granted.access_token),
        refresh_token=Secret(granted.refresh_token) if granted.refresh_token else None,
        expires_at=_expiry(granted.expires_in, answer.started_at),
    )


def _refused(answer: Answer, login: Login) -> Expired | str:
    trouble = f"the token endpoint answered {answer.status}"
    if answer.status >= 500:  # noqa: PLR2004
        return trouble
    denied: Denied = strict_json(answer.body, Denied)
    if denied.error == "invalid_grant":
        return Expired(user_id=login.user_id, connection=login.connection)
    return f"{trouble} ({shown(denied.error)[:80]})"


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _expiry(seconds: float | None, start: datetime) -> datetime | None:
    if seconds is None:
        return None
    return start + timedelta(seconds=max(0, min(seconds, _LONGEST.total_seconds())))
