"""Deleting what was kept long enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_toilet_gap.model import Expire

if TYPE_CHECKING:
    from sqlite_utils import Database

AT_ONCE = 100
"""Checks that one pass deletes at most."""


def old_checks(db: Database, before: datetime) -> list[int]:
    """Checks whose day was over before a moment and whose alarms and subscriptions are all settled, the oldest first."""
    rows = db.execute(
        """SELECT id FROM status_check AS c WHERE phase = 'COMPLETE' AND ends_at < ?1 AND updated_at < ?1
           AND NOT EXISTS (SELECT 1 FROM outbox WHERE plugin = 'toilet_gap' AND status <> 'delivered'
               AND lane IN ('alarms:' || c.id, 'subscription:' || c.id)) ORDER BY id LIMIT ?2""",
        [to_text(before), AT_ONCE],
    )
    return [number for (number,) in rows]


def has_letters(db: Database, before: datetime) -> bool:
    """Whether there are dead letters from before a moment."""
    row = db.execute("SELECT 1 FROM status_check_dead_letter WHERE created_at < ? LIMIT 1", [to_text(before)])
    return row.fetchone() is not None


def expire(db: Database, decisions: Sequence[Expire]) -> None:
    """Delete what is old; the metrics go on with its numbers."""
    for one in decisions:
        checks = json.dumps(one.expired.checks)
        _keep_numbers(
            db,
            """SELECT event_name, count(*) FROM status_check_record
               WHERE status_check_id IN (SELECT value FROM json_each(?)) GROUP BY event_name""",
            checks,
        )
        _keep_numbers(
            db,
            """SELECT result, count(*) FROM status_check WHERE id IN (SELECT value FROM json_each(?)) GROUP BY result""",
            checks,
        )
        for table in (
            "status_check_poller",
            "status_check_record",
            "status_check_incoming",
            "status_check_subscription",
        ):
            db.execute(
                f"DELETE FROM {table} WHERE status_check_id IN (SELECT value FROM json_each(?))",  # noqa: S608 - own names
                [checks],
            )
        db.execute("DELETE FROM status_check WHERE id IN (SELECT value FROM json_each(?))", [checks])
        if one.expired.letters_before is not None:
            before = to_text(one.expired.letters_before)
            sql = "SELECT 'DEAD_LETTER', count(*) FROM status_check_dead_letter WHERE created_at < ? HAVING count(*)"
            _keep_numbers(db, sql, before)
            db.execute("DELETE FROM status_check_dead_letter WHERE created_at < ?", [before])


def _keep_numbers(db: Database, sql: str, value: str) -> None:
    db.conn.executemany(
        """INSERT INTO status_check_expired (name, number) VALUES (?, ?)
           ON CONFLICT (name) DO UPDATE SET number = number + excluded.number""",
        db.execute(sql, [value]).fetchall(),
    )
