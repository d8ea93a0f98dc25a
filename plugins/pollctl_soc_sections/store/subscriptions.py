"""Subscriptions as people make and change them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import PollctlError, UsageError, to_text
from pollctl_soc_sections.model import NewSubscription, RollOver
from pollctl_soc_sections.store.history import add_to_history
from pollctl_soc_sections.store.moments import text_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def subscribe(db: Database, now: datetime, new: NewSubscription) -> int:
    """Add a subscription, or find the live one with the same section and contact; answers its id."""
    key = [new.term, new.campus, new.index_number, new.contact, new.course]
    row = db.execute(
        """SELECT id FROM soc_subscriptions WHERE term = ? AND campus = ? AND index_number = ? AND contact = ?
           AND course = ? AND status <> 'unsubscribed'""",
        key,
    ).fetchone()
    if row:
        return int(row[0])
    cursor = db.execute(
        """INSERT INTO soc_subscriptions (term, campus, index_number, contact, course, is_rolling, window,
           max_notifications, snooze_until, unless_open, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            *key,
            new.is_rolling,
            new.window,
            new.max_notifications,
            text_or_none(new.snooze_until),
            new.unless_open,
            to_text(now),
        ],
    )
    number = int(cursor.lastrowid or 0)
    add_to_history(db, [(number, "subscribed", "")], now)
    return number


def roll_over(db: Database, rolled: Sequence[RollOver], _: Run) -> None:
    """Let subscriptions go on in another term; what waits for the old one is over."""
    for it in rolled:
        chosen = json.dumps(it.subscriptions)
        db.execute(
            """UPDATE soc_open_event_notifications SET fanout_status = 'expired', changed_at = ?
               WHERE fanout_status = 'deferred' AND subscription_id IN (SELECT value FROM json_each(?))""",
            [to_text(it.at), chosen],
        )
        db.execute(
            "UPDATE soc_subscriptions SET term = ?, created_at = ? WHERE id IN (SELECT value FROM json_each(?))",
            [it.term, to_text(it.at), chosen],
        )
        add_to_history(db, [(number, "rolled over", it.reason) for number in it.subscriptions], it.at)


def change(db: Database, now: datetime, number: int, status: str) -> None:
    """Pause, resume or end a subscription; resuming also ends a snooze and starts the count of notifications again.

    Raises:
        UsageError: there is no such subscription.
        PollctlError: it was ended, which is final.
    """
    _must_live(db, number)
    words = {"paused": "paused", "active": "resumed", "unsubscribed": "unsubscribed"}
    restart = ", sent_count = 0, snooze_until = NULL" if status == "active" else ""
    db.execute(f"UPDATE soc_subscriptions SET status = ?{restart} WHERE id = ?", [status, number])  # noqa: S608 - own text
    add_to_history(db, [(number, words[status], "by hand")], now)


def snooze(db: Database, now: datetime, number: int, until: datetime) -> None:
    """Let a subscription rest until a moment; one that has passed ends a snooze.

    Raises:
        UsageError: there is no such subscription.
        PollctlError: it was ended, which is final.
    """
    _must_live(db, number)
    db.execute("UPDATE soc_subscriptions SET snooze_until = ? WHERE id = ?", [to_text(until), number])
    add_to_history(db, [(number, "snoozed", f"until {to_text(until)}")], now)


def _must_live(db: Database, number: int) -> None:
    if status_of(db, number) == "unsubscribed":
        raise PollctlError(f"subscription {number} was ended; subscribe again")


def status_of(db: Database, number: int) -> str:
    """The status of a subscription.

    Raises:
        UsageError: there is no such subscription.
    """
    row = db.execute("SELECT status FROM soc_subscriptions WHERE id = ?", [number]).fetchone()
    if row is None:
        raise UsageError(f"no subscription {number}; `pollctl soc-sections subscriptions` lists them")
    return str(row[0])
