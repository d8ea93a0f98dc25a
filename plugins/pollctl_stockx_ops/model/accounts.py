"""Accounts and their logins."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from pollctl import Secret

AccountStatus = Literal["ACTIVE", "BROKEN", "EXPIRED", "REVOKED"]


class Account(Struct, frozen=True, kw_only=True):
    """Whether a user's login works; ``connection`` counts how often it was connected."""

    status: AccountStatus
    connection: int


class Login(NamedTuple):
    """The credentials of an account."""

    user_id: str
    connection: int
    access_token: Secret | None
    refresh_token: Secret | None
    expires_at: datetime | None


class Tokens(Struct, frozen=True, kw_only=True):
    """A refreshed login, whose secrets no recording holds.

    Attributes:
        access_token: None where the answer held none that can be used: the old one stays, and its end.
        refresh_token: None when the old one stays.
        expires_at: of the access token, if it is known.
    """

    user_id: str
    connection: int
    access_token: Secret | None
    refresh_token: Secret | None
    expires_at: datetime | None


class Expired(Struct, frozen=True, kw_only=True):
    """A login that the token endpoint no longer accepts."""

    user_id: str
    connection: int
