"""Days that begin, and days that went by without a pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_toilet_gap.model import MissDay, StartCheck
from pollctl_toilet_gap.store import subscriptions
from pollctl_toilet_gap.store.template import seed_template
from pollctl_toilet_gap.store.terms import terms_to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def start_checks(db: Database, started: Sequence[StartCheck], run: Run) -> None:
    """Write each check with its window and first record, and the intent to subscribe."""
    if not started:
        return
    now = to_text(run.now)
    db.conn.executemany(
        """INSERT INTO status_check (monitor, robot_id, local_date, phase, planned_at, ends_at, settings, created_at,
               updated_at) VALUES (?, ?, ?, 'SETUP', ?, ?, ?, ?, ?)""",
        [
            (
                begun.day.monitor,
                begun.robot_id,
                begun.day.local_date,
                to_text(begun.day.starts_at),
                to_text(begun.day.ends_at),
                terms_to_text(begun.terms),
                now,
                now,
            )
            for begun in started
        ],
    )
    seed_template(db)
    ids = _ids(db, started)
    numbered = [(ids[begun.day.monitor, begun.day.local_date], begun) for begun in started]
    db.conn.executemany(
        "INSERT INTO status_check_poller (status_check_id, since, until, opened_by) VALUES (?, ?, ?, 'start')",
        [(number, to_text(begun.since), to_text(begun.until)) for number, begun in numbered],
    )
    db.conn.executemany(
        """INSERT INTO status_check_record (status_check_id, "order", event_name, event_at, phase, result, created_at)
           VALUES (?, 1, 'STARTED', ?, 'SETUP', ?, ?)""",
        [(number, to_text(begun.since), "late" if begun.is_late else "on time", now) for number, begun in numbered],
    )
    subscriptions.want(db, [(number, begun.day.ends_at) for number, begun in numbered], run)


def _ids(db: Database, started: Sequence[StartCheck]) -> dict[tuple[str, str], int]:
    days = json.dumps([[begun.day.monitor, begun.day.local_date] for begun in started])
    rows = db.execute(
        """SELECT monitor, local_date, status_check.id FROM json_each(?) AS day JOIN status_check
           ON monitor = json_extract(day.value, '$[0]') AND local_date = json_extract(day.value, '$[1]')""",
        [days],
    )
    return {(monitor, day): number for monitor, day, number in rows}


def miss_days(db: Database, missed: Sequence[MissDay], run: Run) -> None:
    """Write the days that went by, and log them."""
    db.conn.executemany(
        "INSERT INTO status_check_missed VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                over.day.monitor,
                over.day.local_date,
                to_text(over.day.starts_at),
                to_text(over.day.ends_at),
                to_text(run.now),
            )
            for over in missed
        ],
    )
    for over in missed:
        run.log(f"missed the whole day {over.day.local_date} of monitor {over.day.monitor}: {over.reason}")
