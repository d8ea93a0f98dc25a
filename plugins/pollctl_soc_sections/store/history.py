"""The history of subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text

if TYPE_CHECKING:
    from sqlite_utils import Database


def add_to_history(db: Database, events: Sequence[tuple[int, str, str]], at: datetime) -> None:
    """Add to the history of subscriptions: id, what happened, and details."""
    db.conn.executemany(
        "INSERT INTO soc_subscription_events (subscription_id, kind, detail, at) VALUES (?, ?, ?, ?)",
        [(*event, to_text(at)) for event in events],
    )
