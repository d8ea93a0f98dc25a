"""Connecting and revoking accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import Secret, to_text
from pollctl_stockx_ops import queries

if TYPE_CHECKING:
    from sqlite_utils import Database


def connect(db: Database, user_id: str, refresh_token: Secret, addresses: Sequence[Secret], now: datetime) -> None:
    """Let jobs of a user be followed by a new login; addresses that are given take the place of earlier ones."""
    db.execute(
        """INSERT INTO stockx_accounts (user_id, refresh_token, connected_at, updated_at) VALUES (?1, ?2, ?3, ?3)
           ON CONFLICT (user_id) DO UPDATE SET status = 'ACTIVE', refresh_token = excluded.refresh_token,
               access_token = NULL, expires_at = NULL, connection = connection + 1,
               connected_at = excluded.connected_at, updated_at = excluded.updated_at""",
        [user_id, refresh_token.reveal(), to_text(now)],
    )
    if addresses:
        db.execute("DELETE FROM stockx_notify WHERE user_id = ?", [user_id])
        db.conn.executemany(
            "INSERT INTO stockx_notify VALUES (?, ?)",
            [(user_id, address.reveal()) for address in dict.fromkeys(addresses)],
        )


def revoke(db: Database, user_id: str, now: datetime) -> None:
    """Forget the login of a user.

    Raises:
        UsageError: there is no such account.
    """
    queries.account(db, user_id)
    db.execute(
        """UPDATE stockx_accounts SET status = 'REVOKED', access_token = NULL, refresh_token = NULL, expires_at = NULL,
           updated_at = ? WHERE user_id = ?""",
        [to_text(now), user_id],
    )
