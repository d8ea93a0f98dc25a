"""Subscriptions: their statuses, and a new one before it is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

SubscriptionStatus = Literal["pending", "active", "paused", "suppressed", "unsubscribed"]
ELIGIBLE = ("pending", "active")
"""Statuses of subscriptions that are notified."""


ANY_SECTION = "00000"
"""Stands for the index in a subscription to a course."""


class NewSubscription(Struct, frozen=True, kw_only=True):
    """A subscription to be stored; every value has been checked.

    Attributes:
        course: whose sections it follows, all of them; empty where it follows one.
        is_rolling: whether it goes on with the course in each term that becomes the current one.
    """

    term: str
    campus: str
    index_number: str
    contact: str
    window: str | None
    max_notifications: int
    snooze_until: datetime | None
    unless_open: bool
    course: str = ""
    is_rolling: bool = False
