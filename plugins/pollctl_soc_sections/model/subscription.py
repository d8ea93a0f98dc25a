"""Subscriptions: their statuses, and a new one before it is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

SubscriptionStatus = Literal["pending", "active", "paused", "suppressed", "unsubscribed"]
ELIGIBLE = ("pending", "active")
"""Statuses of subscriptions that are notified."""


class NewSubscription(Struct, frozen=True, kw_only=True):
    """A subscription to be stored; every value has been checked."""

    term: str
    campus: str
    index_number: str
    contact: str
    window: str | None
    max_notifications: int
    snooze_until: datetime | None
    unless_open: bool
