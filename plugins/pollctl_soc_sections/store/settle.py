"""What became of one message."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_soc_sections.model import ELIGIBLE
from pollctl_soc_sections.store.history import add_to_history
from pollctl_soc_sections.store.outgoing import subject, unwanted

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run

_SENT, _DROPPED = "sent", "dropped: "
_GIVEN_UP = "its delivery was given up; see `pollctl outbox list`"


def settle(db: Database, effect: Effect, result: str | None, run: Run) -> None:
    """Record what became of a notification; one that was sent counts, and the last one allowed pauses."""
    event, number = subject(effect.key)
    status, why = _outcome(db, effect, result, run)
    changed = db.execute(
        """UPDATE soc_open_event_notifications SET fanout_status = ?, changed_at = ? WHERE subscription_id = ?
           AND event_id = (SELECT id FROM soc_open_events WHERE dedupe_key = ?) AND fanout_status <> 'sent'""",
        [status, to_text(run.now), number, event],
    ).rowcount
    if not changed:
        return
    add_to_history(db, [(number, status, why)], run.now)
    if status == _SENT:
        _count_sent(db, number, run.now)


def _outcome(db: Database, effect: Effect, result: str | None, run: Run) -> tuple[str, str]:
    """The status of a notification, and why it has it."""
    if result is None:
        return "failed", _GIVEN_UP
    if not result.startswith(_DROPPED):
        return _SENT, ""
    reason = unwanted(db, effect.key, run)
    is_later = reason is None or reason.is_later  # nothing is in the way any more: the next answer releases it
    return "deferred" if is_later else "expired", result.removeprefix(_DROPPED)


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
