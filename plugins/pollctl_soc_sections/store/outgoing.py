"""A last look at a message before it goes to a subscriber, and what it says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from pollctl import Drop
from pollctl_soc_sections.model import ELIGIBLE, SubscriptionStatus, quiet_reason
from pollctl_soc_sections.store.moments import moment_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run


DOUBT = "doubt"
"""What the keys of messages to operators begin with; those to subscribers begin with the key of an event."""


class Unwanted(NamedTuple):
    """Why a message does not go now; ``is_later``: it may go when that has changed."""

    why: str
    is_later: bool = False


def last_look(db: Database, effect: Effect, run: Run) -> Drop | None:
    """Not to be sent: the section has closed since, or the subscriber is not to be disturbed now.

    What comes at the wrong time is settled as deferred, not left waiting in the outbox: only an answer that shows the section
    open releases it.
    """
    if is_for_operators(effect):
        return None
    reason = unwanted(db, effect, run)
    return Drop(why=reason.why) if reason else None


def is_for_operators(effect: Effect) -> bool:
    """Whether a message is not about an opening, but about answers that cannot be believed."""
    return effect.key.startswith(f"{DOUBT}:")


class Pending(NamedTuple):
    """One notification that a message is about; ``is_over``: its section has closed since."""

    event_id: int
    subscription_id: int
    status: SubscriptionStatus
    window: str | None
    snooze_until: str | None
    is_over: bool


def notifications_of(db: Database, effect: Effect) -> list[Pending]:
    """What a message is about; its key is that of the notifications, and the recipient's digest may follow."""
    rows = db.execute(
        """SELECT event.id, subscription.id, subscription.status, window, snooze_until,
               section.status = 'CLOSED' OR section.episode <> event.episode
           FROM soc_open_event_notifications JOIN soc_open_events AS event ON event.id = event_id
           JOIN soc_subscriptions AS subscription ON subscription.id = subscription_id
           JOIN soc_sections AS section ON section.term = event.term AND section.campus = event.campus
               AND section.index_number = event.index_number
           WHERE effect_key IN (?, ?) ORDER BY event.id""",
        [effect.key, effect.key.rpartition(":")[0]],
    )
    return [Pending(*row) for row in rows]


def unwanted(db: Database, effect: Effect, run: Run) -> Unwanted | None:
    """Why a message must not go to its subscriber now; None where nothing is in the way."""
    pending = notifications_of(db, effect)
    if not pending:
        return Unwanted("the subscription is gone")
    over, first = sum(it.is_over for it in pending), pending[0]
    if over == len(pending):
        return Unwanted("the section closed before the notification could be sent")
    if first.status not in ELIGIBLE:
        return Unwanted(f"the subscription is {first.status}", is_later=first.status != "unsubscribed")
    if over:
        return Unwanted("some of its sections closed before the notification could be sent", is_later=True)
    minute = minute_of_day(run.now, run.timezone)
    quiet = quiet_reason(first.window, moment_or_none(first.snooze_until), minute, run.now)
    return Unwanted(quiet, is_later=True) if quiet else None


def minute_of_day(moment: datetime, zone: ZoneInfo) -> int:
    """The minute of the wall clock, as windows count it."""
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute
