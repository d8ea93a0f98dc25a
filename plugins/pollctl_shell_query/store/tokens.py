"""The token and the pauses that later passes go by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pollctl import Secret, from_text, to_text
from pollctl_shell_query.model import Hold, Token

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def kept_token(db: Database) -> Token | None:
    """The token of earlier passes."""
    row = db.execute("SELECT access_token, grantor, renew_at, soap_url, rest_url FROM shell_query_tokens").fetchone()
    if row is None:
        return None
    return Token(
        access_token=Secret(row[0]), grantor=row[1], renew_at=from_text(row[2]), soap_url=row[3], rest_url=row[4]
    )


def keep_token(db: Database, token: Token) -> None:
    """Keep a token for later passes."""
    db.execute(
        """INSERT OR REPLACE INTO shell_query_tokens (id, grantor, access_token, soap_url, rest_url, renew_at)
           VALUES (1, ?, ?, ?, ?, ?)""",
        [token.grantor, token.access_token.reveal(), token.soap_url, token.rest_url, to_text(token.renew_at)],
    )


def keep_holds(run: Run, holds: Iterable[Hold]) -> None:
    """Remember pauses for later passes."""
    for hold in holds:
        run.hold(hold.upstream, hold.until)
