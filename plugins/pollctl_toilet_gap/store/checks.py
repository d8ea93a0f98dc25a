"""The open checks as values, with their windows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pollctl import from_text
from pollctl_toilet_gap.model import Check, Event
from pollctl_toilet_gap.store import events, letters
from pollctl_toilet_gap.store.terms import terms_from_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_FAILED_SUBSCRIPTION = """SELECT subscription.id, subscription.trouble FROM status_check_subscription AS subscription
    LEFT JOIN outbox ON outbox.plugin = 'toilet_gap' AND outbox.status = 'dead'
        AND outbox.key = 'subscribe:' || subscription.id || ':' || subscription.tries
    WHERE subscription.id = (SELECT max(id) FROM status_check_subscription WHERE status_check_id = c.id)
        AND (subscription.state = 'failed' OR (subscription.state = 'wanted' AND outbox.id IS NOT NULL))"""
"""The latest subscription of a check that failed, or whose delivery was given up by the outbox."""


def checks_of(db: Database, asked: Mapping[int, Sequence[str]]) -> dict[int, Check]:
    """The open checks among those *asked* for, with what is known of the events that are named with each."""
    ids = json.dumps(list(asked))
    rows = db.execute(
        f"""SELECT c.id, c.monitor, c.robot_id, c.local_date, c.phase, c.planned_at, c.ends_at, c.settings,
               c.closing_at IS NOT NULL, w.since, w.until, w.opened_by, w.unjudged, w.unjudged_since,
               (SELECT max("order") FROM status_check_record WHERE status_check_id = c.id),
               (SELECT count(*) FROM status_check_record WHERE status_check_id = c.id AND reference_id IS NOT NULL),
               (SELECT json_array(id, trouble) FROM ({_FAILED_SUBSCRIPTION}))
           FROM json_each(?) JOIN status_check AS c ON c.id = value
               JOIN status_check_poller AS w ON w.status_check_id = c.id
           WHERE c.phase <> 'COMPLETE' ORDER BY c.id""",  # noqa: S608 - own text
        [ids],
    ).fetchall()
    pending, recorded = events.pending(db, ids), events.recorded(db, asked)
    robots = {row[0]: row[2] for row in rows}
    quarantined = events.quarantined(db, {number: (robots[number], asked[number]) for number in robots})
    unread = letters.unread(db, ids)
    return {
        row[0]: replace(_check(row, pending[row[0]], recorded[row[0]], quarantined[row[0]]), unread=unread[row[0]])
        for row in rows
    }


def _check(row: Sequence[Any], pending: list[Event], recorded: list[str], quarantined: list[str]) -> Check:
    failed_subscription, error = json.loads(row[16]) if row[16] else (None, "")
    return Check(
        id=row[0],
        monitor=row[1],
        robot_id=row[2],
        local_date=row[3],
        phase=row[4],
        planned_at=from_text(row[5]),
        ends_at=from_text(row[6]),
        terms=terms_from_text(row[7]),
        is_closing=bool(row[8]),
        since=from_text(row[9]),
        until=from_text(row[10]),
        opened_by=row[11],
        unjudged=row[12],
        unjudged_since=from_text(row[13]) if row[13] else None,
        last_order=row[14] or 0,
        alarms=row[15],
        failed_subscription=failed_subscription,
        subscription_error=error or "it was given up; see `pollctl outbox list`",
        pending=pending,
        recorded=recorded,
        quarantined=quarantined,
    )
