"""A last look at a message before it goes to a subscriber, and what it says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from pollctl import Drop
from pollctl_soc_sections.model import ELIGIBLE, quiet_reason
from pollctl_soc_sections.store.moments import moment_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect, Run


class Unwanted(NamedTuple):
    """Why a message does not go now; ``is_later``: it may go when that has changed."""

    why: str
    is_later: bool = False


def last_look(db: Database, effect: Effect, run: Run) -> Drop | None:
    """Not to be sent: the section has closed since, or the subscriber is not to be disturbed now.

    What comes at the wrong time is settled as deferred, not left waiting in the outbox: only an answer that shows the section
    open releases it.
    """
    reason = unwanted(db, effect.key, run)
    return Drop(why=reason.why) if reason else None


def subject(key: str) -> tuple[str, int]:
    """The event and the subscription that the key of a message names: ``EVENT:SUBSCRIPTION``, more may follow."""
    event, _, rest = key.partition(":")
    return event, int(rest.partition(":")[0].rstrip("+"))


def unwanted(db: Database, key: str, run: Run) -> Unwanted | None:
    """Why a message must not go to its subscriber now; None where nothing is in the way."""
    row = db.execute(
        """SELECT subscription.status, window, snooze_until,
               section.status = 'CLOSED' OR section.episode <> event.episode
           FROM soc_open_events AS event JOIN soc_subscriptions AS subscription USING (term, campus, index_number)
           JOIN soc_sections AS section USING (term, campus, index_number)
           WHERE dedupe_key = ? AND subscription.id = ?""",
        subject(key),
    ).fetchone()
    if row is None:
        return Unwanted("the subscription is gone")
    status, window, snooze_until, is_over = row
    if is_over:
        return Unwanted("the section closed before the notification could be sent")
    if status not in ELIGIBLE:
        return Unwanted(f"the subscription is {status}", is_later=status != "unsubscribed")
    quiet = quiet_reason(window, moment_or_none(snooze_until), minute_of_day(run.now, run.timezone), run.now)
    return Unwanted(quiet, is_later=True) if quiet else None


def minute_of_day(moment: datetime, zone: ZoneInfo) -> int:
    """The minute of the wall clock, as windows count it."""
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute
