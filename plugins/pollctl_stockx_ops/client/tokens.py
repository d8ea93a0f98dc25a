"""Refreshing a login at the token endpoint."""

from __future__ import annotations

from datetime import datetime, timedelta

from pollctl import Answer, Request, Secret, oauth
from pollctl_stockx_ops.client.fields import safe_text
from pollctl_stockx_ops.model import Expired, Login, Settings, Tokens

NEAR_ITS_END = timedelta(seconds=60)
"""An access token with no more time than this is refreshed before it is used."""
AUDIENCE = "gateway.stockx.com"
_ENDED = "invalid_grant"


def is_fresh(login: Login, now: datetime) -> bool:
    """Whether the access token can be used as it is; one whose end is unknown can, until it is refused."""
    if login.access_token is None:
        return False
    return login.expires_at is None or login.expires_at - now > NEAR_ITS_END


def refresh_request(login: Login, settings: Settings) -> Request:
    """The exchange that refreshes a login."""
    return oauth.refresh(
        settings.token_url,
        settings.client_id,
        settings.client_secret,
        login.refresh_token or Secret(""),
        audience=AUDIENCE,
    )


def read(answer: Answer, login: Login) -> Tokens | Expired | str:
    """The fresh tokens, or that the login has expired, or why it could not be refreshed now.

    Of the tokens what can be read is kept, a rotated refresh token above all; a life that cannot be read is over at once.
    """
    try:
        grant = oauth.read_grant(answer)
    except oauth.TokenError as error:
        if error.code == _ENDED:
            return Expired(user_id=login.user_id, connection=login.connection)
        if error.refresh_token is None:
            return safe_text(str(error))
        return _tokens(login, None, error.refresh_token, None)
    is_unreadable = grant.life is None and grant.fields.get("expires_in") is not None
    expires_at = grant.granted_at if is_unreadable else grant.expires_at
    return _tokens(login, grant.access_token, grant.refresh_token, expires_at)


def _tokens(
    login: Login, access_token: Secret | None, refresh_token: Secret | None, expires_at: datetime | None
) -> Tokens:
    return Tokens(
        user_id=login.user_id,
        connection=login.connection,
        access_token=access_token,
        refresh_token=refresh_token,
        expires_at=expires_at,
    )
