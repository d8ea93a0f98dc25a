"""OAuth 2.0 as pollers need it (RFC 6749): asking for a token, refreshing it, and reading the answer.

When to ask, what to do when a login has ended and where tokens are kept are the plugin's policy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from msgspec import Struct

from pollctl.api.values import Answer, Request
from pollctl.redaction import Secret, shorten
from pollctl.untrusted_json import strict_json

LONGEST_LIFE = timedelta(days=3650)
Encoding = Literal["form", "json"]
_CONTENT_TYPES: Mapping[Encoding, str] = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_SERVER_ERRORS = 500
_BODY_LIMIT = 64 * 1024


class Grant(Struct, frozen=True, kw_only=True):
    """A token that was granted (RFC 6749 §5.1).

    Attributes:
        refresh_token: the next one, if the endpoint rotates them; None: the old one stays, as where it is not a token.
        granted_at: when the exchange began.
        life: how long the access token lasts from then on; None where the endpoint does not say, or nothing readable.
        fields: the whole body, for what an upstream adds.
    """

    access_token: Secret
    refresh_token: Secret | None
    granted_at: datetime
    life: timedelta | None
    fields: Mapping[str, Any]

    @property
    def expires_at(self) -> datetime | None:
        """When the access token ends, if that is known."""
        return None if self.life is None else self.granted_at + self.life


class TokenError(ValueError):
    """There is no token in an answer; the message says why.

    Attributes:
        code: the endpoint's own word for it (RFC 6749 §5.2), such as ``invalid_grant``; empty without one.
        refresh_token: the next one, where there is one all the same: the endpoint may have forgotten the one before.
    """

    def __init__(self, message: str, code: str = "", refresh_token: Secret | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.refresh_token = refresh_token


def client_credentials(
    url: str, client_id: Secret, client_secret: Secret, *, encoding: Encoding = "form", **fields: str | int
) -> Request:
    """The exchange that asks for a token in the client's own name (RFC 6749 §4.4).

    Args:
        url: of the token endpoint.
        client_id: the client's name.
        client_secret: its password.
        encoding: ``form`` as the RFC has it, or ``json`` for endpoints that want an object instead; numbers stay numbers there.
        fields: what the endpoint takes besides, such as ``scope``.
    """
    return _request(url, "client_credentials", client_id, client_secret, fields, encoding)


def refresh(
    url: str,
    client_id: Secret,
    client_secret: Secret,
    refresh_token: Secret,
    *,
    encoding: Encoding = "form",
    **fields: str | int,
) -> Request:
    """The exchange that asks for a new access token with a refresh token (RFC 6749 §6); arguments as above."""
    fields = {"refresh_token": refresh_token.reveal(), **fields}
    return _request(url, "refresh_token", client_id, client_secret, fields, encoding)


def read_grant(answer: Answer, *, longest: timedelta = LONGEST_LIFE) -> Grant:
    """The token of an answer.

    Args:
        answer: of the token endpoint.
        longest: a longer life than this is cut to it; a negative one counts as none left.

    Raises:
        TokenError: there is none in it.
    """
    if answer.error is not None:
        raise TokenError(answer.error.message)
    body = _body(answer)
    if not answer.is_ok:
        code = body.get("error")
        code = shorten(code, 80) if isinstance(code, str) else ""
        raise TokenError(f"the token endpoint answered {answer.status}" + (f" ({code})" if code else ""), code)
    access_token, refresh_token = _token(body.get("access_token")), _token(body.get("refresh_token"))
    if access_token is None:
        raise TokenError("the token endpoint answered with something that is not a token", refresh_token=refresh_token)
    return Grant(
        access_token=access_token,
        refresh_token=refresh_token,
        granted_at=answer.started_at,
        life=_life(body.get("expires_in"), longest),
        fields=body,
    )


def _request(
    url: str,
    grant_type: str,
    client_id: Secret,
    client_secret: Secret,
    fields: Mapping[str, str | int],
    encoding: Encoding,
) -> Request:
    values = {
        "grant_type": grant_type,
        "client_id": client_id.reveal(),
        "client_secret": client_secret.reveal(),
        **fields,
    }
    return Request(
        url=url,
        method="POST",
        headers={"Content-Type": _CONTENT_TYPES[encoding], "Accept": "application/json"},
        body=(urlencode(values) if encoding == "form" else json.dumps(values)).encode(),
        max_body=_BODY_LIMIT,
    )


def _body(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer; a server's own error needs none."""
    if answer.status >= _SERVER_ERRORS:
        return {}
    try:
        body: Mapping[str, Any] = strict_json(answer.body, dict[str, Any])
    except (ValueError, RecursionError) as error:
        if tokens := _tokens_of(answer.body):
            return tokens
        why = shorten(str(error))
        raise TokenError(f"the token endpoint answered {answer.status} with an unreadable body: {why}") from error
    return body


def _tokens_of(body: bytes) -> Mapping[str, Any]:
    """What a grant needs of an object that holds something else that cannot be used: its tokens must not be lost with that."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    known = ("access_token", "refresh_token", "expires_in", "error")
    return {name: value[name] for name in known if name in value} if isinstance(value, dict) else {}


def _token(value: Any) -> Secret | None:
    is_token = isinstance(value, str) and value and value.isascii() and value.isprintable() and " " not in value
    return Secret(value) if is_token else None


def _life(value: Any, longest: timedelta) -> timedelta | None:
    """How long a token lasts; None where that cannot be read: the tokens beside it, a rotated one above all, must be kept.

    Some endpoints write the number as text.
    """
    try:
        seconds = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    if seconds != seconds:  # noqa: PLR0124 - NaN
        return None
    return timedelta(seconds=max(0.0, min(seconds, longest.total_seconds())))
