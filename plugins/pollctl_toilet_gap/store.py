"""The SQL that reads, for a pass: what fetch asks, and ``load``; see also apply.py, tables.py and listings.py."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import from_text, to_text
from pollctl_toilet_gap.model import Batch, Check, Day, Event, Home, State, Terms, Unposted

if TYPE_CHECKING:
    from sqlite_utils import Database

TELL_AFTER = 3
"""Attempts to post an alarm before people are told."""
_terms = msgspec.json.Decoder(Terms)

# what fetch asks


def open_checks(db: Database) -> list[int]:
    """The checks that are not over, the oldest first."""
    return [number for (number,) in db.execute("SELECT id FROM status_check WHERE phase <> 'COMPLETE' ORDER BY id")]


def last_days(db: Database, monitors: Iterable[str], until: str) -> dict[str, str]:
    """The latest date of each monitor that has a check, or that is known to have gone by without one.

    Dates after *until* are those of a clock that ran ahead: they must not keep the days before them from beginning.
    """
    rows = db.execute(
        """SELECT value, max(
               coalesce((SELECT max(local_date) FROM status_check WHERE monitor = value AND local_date <= ?2), ''),
               coalesce((SELECT max(local_date) FROM status_check_missed WHERE monitor = value AND local_date <= ?2), ''))
           FROM json_each(?1)""",
        [json.dumps(list(monitors)), until],
    )
    return {monitor: day for monitor, day in rows if day}


def ended_early(db: Database, last_days: Mapping[str, str], now: datetime) -> list[tuple[str, int, str]]:
    """Monitors whose latest check is over although its day is not and nobody closed it: with its id, and B."""
    return db.execute(
        """SELECT c.monitor, c.id, c.ends_at FROM json_each(?1) AS last
               JOIN status_check AS c ON c.monitor = last.key AND c.local_date = last.value
           WHERE c.phase = 'COMPLETE' AND c.closing_at IS NULL AND c.planned_at <= ?2 AND c.ends_at > ?2 ORDER BY c.id""",
        [json.dumps(last_days), to_text(now)],
    ).fetchall()


def unposted(db: Database) -> list[Unposted]:
    """Alarms that were tried several times, or given up, and of which nobody was told yet."""
    rows = db.execute(
        """SELECT json_extract(payload, '$.reference_id') AS reference, json_extract(payload, '$.check_id'),
               json_extract(payload, '$.robot_id'), attempts, coalesce(last_error, status)
           FROM outbox WHERE plugin = 'toilet_gap' AND kind = 'alarm' AND status <> 'delivered'
               AND (attempts >= ? OR status IN ('dead', 'unknown')) AND last_error IS NOT 'dropped by hand'
               AND NOT EXISTS (SELECT 1 FROM outbox AS told WHERE told.plugin = 'toilet_gap'
                   AND told.key >= 'unposted:' || reference || ':' AND told.key < 'unposted:' || reference || ';')
           ORDER BY id""",
        [TELL_AFTER],
    )
    return [
        Unposted(reference_id=reference, check_id=number, robot_id=robot, attempts=attempts, trouble=trouble)
        for reference, number, robot, attempts, trouble in rows
    ]


def batches_of(db: Database, run_id: str) -> int:
    """How many batches of a pass were committed."""
    (number,) = db.execute("SELECT batches FROM runs WHERE id = ?", [run_id]).fetchone()
    return int(number)


_UNMADE = """SELECT subscription.id, subscription.trouble FROM status_check_subscription AS subscription
    LEFT JOIN outbox ON outbox.plugin = 'toilet_gap' AND outbox.status = 'dead'
        AND outbox.key = 'subscribe:' || subscription.id || ':' || subscription.tries
    WHERE subscription.id = (SELECT max(id) FROM status_check_subscription WHERE status_check_id = c.id)
        AND (subscription.state = 'failed' OR (subscription.state = 'wanted' AND outbox.id IS NOT NULL))"""
"""The latest subscription of a check that failed, or whose delivery was given up by the outbox."""


def checks(db: Database, asked: Mapping[int, Sequence[str]]) -> dict[int, Check]:
    """The open checks among those *asked* for, with what is known of the events that are named with each."""
    ids = json.dumps(list(asked))
    rows = db.execute(
        f"""SELECT c.id, c.monitor, c.robot_id, c.local_date, c.phase, c.planned_at, c.ends_at, c.settings,
               c.closing_at IS NOT NULL, w.since, w.until, w.opened_by, w.unjudged, w.unjudged_since,
               (SELECT max("order") FROM status_check_record WHERE status_check_id = c.id),
               (SELECT count(*) FROM status_check_record WHERE status_check_id = c.id AND reference_id IS NOT NULL),
               (SELECT json_array(id, trouble) FROM ({_UNMADE}))
           FROM json_each(?) JOIN status_check AS c ON c.id = value
               JOIN status_check_poller AS w ON w.status_check_id = c.id
           WHERE c.phase <> 'COMPLETE' ORDER BY c.id""",  # noqa: S608 - own text
        [ids],
    ).fetchall()
    pending, known = _pending(db, ids), _known(db, asked)
    robots = {row[0]: row[2] for row in rows}
    quarantined = _quarantined(db, {number: (robots[number], asked[number]) for number in robots})
    return {row[0]: _check(row, pending[row[0]], known[row[0]], quarantined[row[0]]) for row in rows}


def _check(row: Sequence[Any], pending: list[Event], known: list[str], quarantined: list[str]) -> Check:
    unmade, trouble = json.loads(row[16]) if row[16] else (None, "")
    return Check(
        id=row[0],
        monitor=row[1],
        robot_id=row[2],
        local_date=row[3],
        phase=row[4],
        planned_at=from_text(row[5]),
        ends_at=from_text(row[6]),
        terms=_terms.decode(row[7]),
        is_closing=bool(row[8]),
        since=from_text(row[9]),
        until=from_text(row[10]),
        opened_by=row[11],
        unjudged=row[12],
        unjudged_since=from_text(row[13]) if row[13] else None,
        last_order=row[14] or 0,
        alarms=row[15],
        unmade=unmade,
        trouble=trouble or "it was given up; see `pollctl outbox list`",
        pending=pending,
        known=known,
        quarantined=quarantined,
    )


def _pending(db: Database, ids: str) -> defaultdict[int, list[Event]]:
    found: defaultdict[int, list[Event]] = defaultdict(list)
    rows = db.execute(
        """SELECT status_check_id, event_id, event_at FROM json_each(?)
           JOIN status_check_incoming ON status_check_id = value ORDER BY status_check_id, event_at, event_id""",
        [ids],
    )
    for number, event_id, at in rows:
        found[number].append(Event(event_id, from_text(at)))
    return found


def _known(db: Database, asked: Mapping[int, Sequence[str]]) -> defaultdict[int, list[str]]:
    """The ids, of those that are named with each check, that have a record."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = db.execute(
        """SELECT status_check_id, incoming_event_id FROM json_each(?) AS named
           CROSS JOIN json_each(named.value, '$[1]') AS event
           JOIN status_check_record ON status_check_id = json_extract(named.value, '$[0]')
               AND incoming_event_id = event.value
           ORDER BY status_check_id, incoming_event_id""",
        [json.dumps([[number, list(events)] for number, events in asked.items() if events])],
    )
    for number, event_id in rows:
        found[number].append(event_id)
    return found


def _quarantined(db: Database, asked: Mapping[int, tuple[str, Sequence[str]]]) -> defaultdict[int, list[str]]:
    """The ids, of those that are named with each check, that its robot sent with a time that is not to be believed."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    if not any(events for _, events in asked.values()):
        return found
    robots: defaultdict[str, set[str]] = defaultdict(set)
    rows = db.execute(
        """SELECT robot_id, event_id FROM status_check_dead_letter
           WHERE key >= 'future:' AND key < 'future;' AND robot_id IN (SELECT value FROM json_each(?))""",
        [json.dumps(sorted({robot for robot, _ in asked.values()}))],
    )
    for robot, event_id in rows:
        robots[robot].add(event_id)
    for number, (robot, events) in asked.items():
        found[number] = sorted(robots[robot].intersection(events)) if robot in robots else []
    return found


# what deliver asks


def has_failed(db: Database, effect_id: int) -> bool:
    """Whether an effect has the error of an earlier attempt, also one that was counted anew by hand."""
    row = db.execute("SELECT last_error IS NOT NULL FROM outbox WHERE id = ?", [effect_id]).fetchone()
    return row is not None and bool(row[0])


# load


def load(db: Database, batch: Batch) -> State:
    """The rows that one batch needs."""
    events = {history.check_id: [event.id for event in history.events] for history in batch.histories}
    asked = {turn.check_id: events.get(turn.check_id, []) for turn in batch.turns}
    days = [*batch.days, *batch.missed]
    return State(
        last_days=_last_days(db, days) if days else {},
        checks=checks(db, asked) if asked else {},
        homes=_homes(db, batch) if batch.letters or batch.poison else [],
    )


def _last_days(db: Database, days: Sequence[Day]) -> dict[str, str]:
    return last_days(db, sorted({day.monitor for day in days}), max(day.local_date for day in days))


def _homes(db: Database, batch: Batch) -> list[Home]:
    """The checks that the messages of a batch may belong to: by subscription, or because one may have been lost."""
    named = {letter.subscription_id for letter in batch.letters}
    named |= {poison.subscription_id for poison in batch.poison if poison.subscription_id}
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
           GROUP BY c.id ORDER BY c.id""",
        [json.dumps(sorted(named))],
    ).fetchall()
    ids = sorted({letter.event.id for letter in batch.letters})
    asked = {row[0]: ids for row in rows}
    known, pending = _known(db, asked), _pending(db, json.dumps(list(asked)))
    quarantined = _quarantined(db, {row[0]: (row[1], ids) for row in rows})
    return [
        Home(
            check_id=row[0],
            robot_id=row[1],
            event_name=_terms.decode(row[2]).event,
            planned_at=from_text(row[3]),
            ends_at=from_text(row[4]),
            is_over=bool(row[5]),
            last_order=row[6],
            subscriptions=json.loads(row[7]),
            is_uncertain=bool(row[8]),
            known=sorted({*known[row[0]], *(event.id for event in pending[row[0]])}),
            quarantined=quarantined[row[0]],
        )
        for row in rows
    ]
