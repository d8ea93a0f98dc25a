"""What became of one message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_soc_sections.model import ELIGIBLE
from pollctl_soc_sections.store.history import add_to_history
from pollctl_soc_sections.store.outgoing import is_for_operators, notifications_of, unwanted

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run

_SENT, _DROPPED = "sent", "dropped: "
_GIVEN_UP = "its delivery was given up; see `pollctl outbox list`"


def settle(db: Database, effect: Effect, result: str | None, run: Run) -> None:
    """Record what became of a notification; one that was sent counts, and the last one allowed pauses."""
    if is_for_operators(effect):
        return
    pending = notifications_of(db, effect)
    status, why = _outcome(db, effect, result, run)
    changed = db.conn.executemany(
        """UPDATE soc_open_event_notifications SET fanout_status = ?, changed_at = ?
           WHERE event_id = ? AND subscription_id = ? AND fanout_status <> 'sent'""",
        [
            (
                "expired" if it.is_over and status == "deferred" else status,
                to_text(run.now),
                it.event_id,
                it.subscription_id,
            )
            for it in pending
        ],
    ).rowcount
    if changed < 1:
        return
    number = pending[0].subscription_id
    add_to_history(db, [(number, status, why)], run.now)
    if status == _SENT:
        _count_sent(db, number, run.now, is_certain=_is_certain(db, [it.event_id for it in pending]))


def _outcome(db: Database, effect: Effect, result: str | None, run: Run) -> tuple[str, str]:
    """The status of a notification, and why it has it."""
    if result is None:
        return "failed", _GIVEN_UP
    if not result.startswith(_DROPPED):
        return _SENT, ""
    reason = unwanted(db, effect, run)
    is_later = reason is None or reason.is_later  # nothing is in the way any more: the next answer releases it
    return "deferred" if is_later else "expired", result.removeprefix(_DROPPED)


def _is_certain(db: Database, events: Sequence[int]) -> bool:
    """Whether a section was seen closed before; else it may have been open all along, and its message does not count."""
    (certain,) = db.execute(
        """SELECT count(*) FROM soc_open_events WHERE id IN (SELECT value FROM json_each(?))
           AND json_extract(payload, '$.unread_since') IS NULL""",
        [json.dumps(list(events))],
    ).fetchone()
    return bool(certain)


def _count_sent(db: Database, number: int, now: datetime, *, is_certain: bool) -> None:
    sent, most, status = db.execute(
        """UPDATE soc_subscriptions SET sent_count = sent_count + ?, last_known_section_status = 'OPEN'
           WHERE id = ? RETURNING sent_count, max_notifications, status""",
        [is_certain, number],
    ).fetchone()
    if is_certain and sent >= most and status in ELIGIBLE:
        db.execute("UPDATE soc_subscriptions SET status = 'paused' WHERE id = ?", [number])
        reason = f"{sent} of {most} notifications were sent; `resume {number}` starts the count again"
        add_to_history(db, [(number, "paused", reason)], now)
