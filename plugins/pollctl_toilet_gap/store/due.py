"""What fetch asks the database before it goes out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_toilet_gap.model import UndeliveredAlarm

if TYPE_CHECKING:
    from sqlite_utils import Database

NOTIFY_AFTER = 3
"""Attempts to post an alarm before people are notified."""


def open_checks(db: Database) -> list[int]:
    """The checks that are not over, the oldest first."""
    return [number for (number,) in db.execute("SELECT id FROM status_check WHERE phase <> 'COMPLETE' ORDER BY id")]


def last_days(db: Database, monitors: Iterable[str], until: str) -> dict[str, str]:
    """The latest date of each monitor that has a check, or that was recorded as missed.

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
    """Monitors whose latest check is over although its day is not and which was not closed by hand: with its id and end."""
    return db.execute(
        """SELECT c.monitor, c.id, c.ends_at FROM json_each(?1) AS last
               JOIN status_check AS c ON c.monitor = last.key AND c.local_date = last.value
           WHERE c.phase = 'COMPLETE' AND c.closing_at IS NULL AND c.planned_at <= ?2 AND c.ends_at > ?2 ORDER BY c.id""",
        [json.dumps(last_days), to_text(now)],
    ).fetchall()


def undelivered_alarms(db: Database) -> list[UndeliveredAlarm]:
    """Alarms that were tried several times, or given up, about which no one was notified yet."""
    rows = db.execute(
        """SELECT json_extract(payload, '$.reference_id') AS reference, json_extract(payload, '$.check_id'),
               json_extract(payload, '$.robot_id'), attempts, coalesce(last_error, status)
           FROM outbox WHERE plugin = 'toilet_gap' AND kind = 'alarm' AND status <> 'delivered'
               AND (attempts >= ? OR status IN ('dead', 'unknown')) AND last_error IS NOT 'dropped by hand'
               AND NOT EXISTS (SELECT 1 FROM outbox AS notice WHERE notice.plugin = 'toilet_gap'
                   AND notice.key >= 'unposted:' || reference AND notice.key < 'unposted:' || reference || ';')
           ORDER BY id""",
        [NOTIFY_AFTER],
    )
    return [
        UndeliveredAlarm(reference_id=reference, check_id=number, robot_id=robot, attempts=attempts, error=error)
        for reference, number, robot, attempts, error in rows
    ]


def committed_batches(db: Database, run_id: str) -> int:
    """How many batches of a pass were committed."""
    (number,) = db.execute("SELECT batches FROM runs WHERE id = ?", [run_id]).fetchone()
    return int(number)
