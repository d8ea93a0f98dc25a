"""The rows that one batch needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import from_text, to_text
from pollctl_toilet_gap.model import Batch, Day, State, Subscriber
from pollctl_toilet_gap.store import due, events, letters
from pollctl_toilet_gap.store.checks import checks_of
from pollctl_toilet_gap.store.terms import terms_from_text

if TYPE_CHECKING:
    from sqlite_utils import Database


def load(db: Database, batch: Batch) -> State:
    """Read what decide needs to know of one batch."""
    named = {history.check_id: [event.id for event in history.events] for history in batch.histories}
    asked = {one.check_id: named.get(one.check_id, []) for one in batch.due}
    days = [*batch.days, *batch.missed]
    return State(
        last_days=_last_days(db, days) if days else {},
        checks=checks_of(db, asked) if asked else {},
        subscribers=_subscribers(db, batch) if batch.messages or batch.poison else [],
        known_letters=letters.known(db, [poison.key for history in batch.histories for poison in history.poison]),
    )


def _last_days(db: Database, days: Sequence[Day]) -> dict[str, str]:
    return due.last_days(db, sorted({day.monitor for day in days}), max(day.local_date for day in days))


def _subscribers(db: Database, batch: Batch) -> list[Subscriber]:
    """The checks that the messages of a batch may belong to: by subscription, or because one may have been lost."""
    named = {message.subscription_id for message in batch.messages}
    named |= {poison.subscription_id for poison in batch.poison if poison.subscription_id}
    replayed = [[it.robot_id, to_text(it.event.at)] for it in batch.messages if it.letter is not None]
    rows = db.execute(
        """SELECT c.id, c.robot_id, c.settings, c.planned_at, c.ends_at, c.phase = 'COMPLETE',
               coalesce((SELECT max("order") FROM status_check_record WHERE status_check_id = c.id), 0),
               json_group_array(s.subscription_id) FILTER (WHERE s.subscription_id IN (SELECT value FROM json_each(?1))),
               max(s.is_uncertain)
           FROM status_check AS c JOIN status_check_subscription AS s ON s.status_check_id = c.id
           WHERE c.id IN (SELECT status_check_id FROM status_check_subscription
                   WHERE subscription_id IN (SELECT value FROM json_each(?1)))
               OR c.id IN (SELECT s.status_check_id FROM status_check AS o JOIN status_check_subscription AS s
                   ON s.status_check_id = o.id WHERE o.phase <> 'COMPLETE' AND s.is_uncertain)
               OR EXISTS (SELECT 1 FROM json_each(?2) AS replayed WHERE c.robot_id = json_extract(replayed.value, '$[0]')
                   AND json_extract(replayed.value, '$[1]') >= c.planned_at AND json_extract(replayed.value, '$[1]') < c.ends_at)
           GROUP BY c.id ORDER BY c.id""",
        [json.dumps(sorted(named)), json.dumps(replayed)],
    ).fetchall()
    ids = sorted({message.event.id for message in batch.messages})
    asked = {row[0]: ids for row in rows}
    recorded, pending = events.recorded(db, asked), events.pending(db, json.dumps(list(asked)))
    quarantined = events.quarantined(db, {row[0]: (row[1], ids) for row in rows})
    return [
        Subscriber(
            check_id=row[0],
            robot_id=row[1],
            event_name=terms_from_text(row[2]).event,
            planned_at=from_text(row[3]),
            ends_at=from_text(row[4]),
            is_over=bool(row[5]),
            last_order=row[6],
            subscriptions=json.loads(row[7]),
            is_uncertain=bool(row[8]),
            seen=sorted({*recorded[row[0]], *(event.id for event in pending[row[0]])}),
            quarantined=quarantined[row[0]],
        )
        for row in rows
    ]
