"""What became of one delivery."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import to_text
from pollctl_soc_sections.model import ELIGIBLE
from pollctl_soc_sections.store.history import add_to_history

if TYPE_CHECKING:
    from sqlite_utils import Database


def settle(db: Database, payload: dict[str, Any], result: dict[str, Any], now: datetime) -> None:
    """Record what became of a notification; one that was sent counts, and the last one allowed pauses."""
    status = "sent" if result["sent"] else "deferred" if result.get("later") else "expired"
    changed = db.execute(
        """UPDATE soc_open_event_notifications SET fanout_status = ?, changed_at = ? WHERE subscription_id = ?
           AND event_id = (SELECT id FROM soc_open_events WHERE dedupe_key = ?) AND fanout_status <> 'sent'""",
        [status, to_text(now), payload["subscription_id"], payload["dedupe_key"]],
    ).rowcount
    if not changed:
        return
    add_to_history(db, [(payload["subscription_id"], status, result.get("why", ""))], now)
    if result["sent"]:
        _count_sent(db, payload["subscription_id"], now)


def _count_sent(db: Database, number: int, now: datetime) -> None:
    sent, most, status = db.execute(
        """UPDATE soc_subscriptions SET sent_count = sent_count + 1, last_known_section_status = 'OPEN'
           WHERE id = ? RETURNING sent_count, max_notifications, status""",
        [number],
    ).fetchone()
    if sent >= most and status in ELIGIBLE:
        db.execute("UPDATE soc_subscriptions SET status = 'paused' WHERE id = ?", [number])
        reason = f"{sent} of {most} notifications were sent; `resume {number}` starts the count again"
        add_to_history(db, [(number, "paused", reason)], now)
