"""The template that script nodes read, and that each check refers to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database

DESCRIPTION = "TOILET_ACTIVITY_GAP"
TEXT = "Raises an alarm when a whole gap passes between two visits to the toilet."
VERSION = 1
EVENT, ALARM = "TOILET_ACTIVITY", "NO_TOILET_ACTIVITY_ALARM"
MAX_GAP_MINUTES = 120
PHASES = {
    "SETUP": "The event service is asked for the visits of the day.",
    "MONITORING": "Each visit begins a new window; one that ends without a visit raises an alarm.",
    "ALARM": "A whole gap passed without a visit: the event service and people are told, once, and the next window begins.",
    "COMPLETE": "The day is over, and its result is known.",
}
"""What happens in each phase, in their order."""


def seed_template(db: Database) -> list[dict[str, Any]]:
    """Write the description, the template and its phases, and let checks without one refer to it.

    Answers the rows, the same every time.
    """
    db.execute(
        "INSERT INTO status_check_description VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        [DESCRIPTION, TEXT],
    )
    expected = json.dumps([{"event": EVENT, "maxGapMinutes": MAX_GAP_MINUTES}], separators=(",", ":"))
    db.execute(
        """INSERT INTO status_check_template (description, event_name, alarm_name, version, past_event_dependencies,
               future_event_dependencies, poll_until_end) VALUES (?, ?, ?, ?, '[]', ?, 1)
           ON CONFLICT (description) DO UPDATE SET event_name = excluded.event_name, alarm_name = excluded.alarm_name,
               version = excluded.version, past_event_dependencies = excluded.past_event_dependencies,
               future_event_dependencies = excluded.future_event_dependencies, poll_until_end = excluded.poll_until_end""",
        [DESCRIPTION, EVENT, ALARM, VERSION, expected],
    )
    db.conn.executemany(
        """INSERT INTO status_check_template_detail SELECT id, ?, ?, ? FROM status_check_template WHERE description = ?
           ON CONFLICT (status_check_template_id, phase) DO UPDATE SET "order" = excluded."order", text = excluded.text""",
        [(phase, order, text, DESCRIPTION) for order, (phase, text) in enumerate(PHASES.items(), start=1)],
    )
    db.execute(
        """UPDATE status_check SET status_check_template_id = (SELECT id FROM status_check_template WHERE description = ?)
           WHERE status_check_template_id IS NULL""",
        [DESCRIPTION],
    )
    return list(
        db.query(
            """SELECT description, version, event_name, alarm_name, past_event_dependencies, future_event_dependencies,
                   poll_until_end, phase, "order", detail.text
               FROM status_check_template AS template
                   JOIN status_check_template_detail AS detail ON status_check_template_id = template.id
               WHERE description = ? ORDER BY "order" """,
            [DESCRIPTION],
        )
    )
