"""Events that wait, and what happened in each check."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_toilet_gap.model import AddRecord, KeepEvent, RaiseAlarm

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def keep_events(db: Database, kept: Sequence[KeepEvent]) -> None:
    """Write events that wait for the fold of their check."""
    db.conn.executemany(
        "INSERT INTO status_check_incoming VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(keep.check_id, keep.event.id, to_text(keep.event.at)) for keep in kept],
    )


def add_records(db: Database, records: Sequence[AddRecord | RaiseAlarm], run: Run) -> None:
    """Write what happened, an alarm as ``ALARM_SENT``; events that have a record no longer wait."""
    now = to_text(run.now)
    db.conn.executemany(
        """INSERT INTO status_check_record (status_check_id, "order", incoming_event_id, reference_id, event_name, event_at,
           phase, result, created_at, unread) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        [_record_row(record, now) for record in records],
    )
    checks = {one.check_id for one in records if isinstance(one, AddRecord) and one.event_id is not None}
    db.execute(
        """DELETE FROM status_check_incoming WHERE status_check_id IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM status_check_record AS record
               WHERE record.status_check_id = status_check_incoming.status_check_id
                   AND record.incoming_event_id = status_check_incoming.event_id)""",
        [json.dumps(sorted(checks))],
    )


def _record_row(record: AddRecord | RaiseAlarm, now: str) -> tuple[object, ...]:
    if isinstance(record, AddRecord):
        at, what = to_text(record.at), record.name
        return record.check_id, record.order, record.event_id, None, what, at, record.phase, record.result, now, None
    at, reference = to_text(record.until), record.reference_id
    unread = "; ".join(record.unread) or None
    return record.check_id, record.order, None, reference, "ALARM_SENT", at, "MONITORING", None, now, unread


def log_late(db: Database, records: Sequence[AddRecord], run: Run) -> None:
    """Log the events that came too late."""
    late = [record for record in records if record.name == "EVENT_LATE"]
    chosen = json.dumps(sorted({record.check_id for record in late}))
    sql = "SELECT id, robot_id FROM status_check WHERE id IN (SELECT value FROM json_each(?))"
    robots = dict(db.execute(sql, [chosen]).fetchall()) if late else {}
    for record in late:
        run.log(
            f"late event robotId={robots[record.check_id]} statusCheckId={record.check_id} "
            f"eventTimestamp={to_text(record.at)}: {record.reason}"
        )
