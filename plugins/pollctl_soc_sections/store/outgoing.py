"""What deliver needs to send one notification."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pollctl_soc_sections.store.moments import moment_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Effect


class Outgoing(NamedTuple):
    """One notification that is about to be sent; ``is_over`` when its section has closed since."""

    contact: str
    status: str
    window: str | None
    snooze_until: datetime | None
    payload: str
    is_over: bool


def outgoing(db: Database, effect: Effect) -> Outgoing | None:
    """What an effect is about; None when its event or subscription is gone."""
    row = db.execute(
        """SELECT contact, subscription.status, window, snooze_until, payload,
               section.status = 'CLOSED' OR section.episode <> event.episode
           FROM soc_open_events AS event JOIN soc_subscriptions AS subscription USING (term, campus, index_number)
           JOIN soc_sections AS section USING (term, campus, index_number)
           WHERE dedupe_key = ? AND subscription.id = ?""",
        [effect.payload["dedupe_key"], effect.payload["subscription_id"]],
    ).fetchone()
    if row is None:
        return None
    contact, status, window, snooze_until, payload, is_over = row
    return Outgoing(contact, status, window, moment_or_none(snooze_until), payload, bool(is_over))
