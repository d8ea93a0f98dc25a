"""What ``seed-template`` writes: how this kind of check is described to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database

DESCRIPTION = "TOILET_ACTIVITY_GAP"
TEXT = "Raises an alarm when a whole gap passes between two visits to the toilet."
PHASES = {
    "SETUP": "The event service is asked for the visits of the day.",
    "MONITORING": "Each visit begins a new window; one that ends without a visit raises an alarm.",
    "COMPLETE": "The day is over, and its result is known.",
}
"""What happens in each phase, in their order."""


def seed_template(db: Database, event_name: str, alarm_name: str) -> list[dict[str, Any]]:
    """Write the description, the template and its phases; answers the rows, the same every time."""
    db.execute(
        "INSERT INTO status_check_description VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        [DESCRIPTION, TEXT],
    )
    db.execute(
        """INSERT INTO status_check_template (description, event_name, alarm_name) VALUES (?, ?, ?)
           ON CONFLICT (description) DO UPDATE SET event_name = excluded.event_name, alarm_name = excluded.alarm_name""",
        [DESCRIPTION, event_name, alarm_name],
    )
    db.conn.executemany(
        """INSERT INTO status_check_template_detail SELECT id, ?, ?, ? FROM status_check_template WHERE description = ?
           ON CONFLICT (status_check_template_id, phase) DO UPDATE SET "order" = excluded."order", text = excluded.text""",
        [(phase, order, text, DESCRIPTION) for order, (phase, text) in enumerate(PHASES.items(), start=1)],
    )
    return list(
        db.query(
            """SELECT description, event_name, alarm_name, phase, "order", detail.text
               FROM status_check_template AS template
                   JOIN status_check_template_detail AS detail ON status_check_template_id = template.id
               WHERE description = ? ORDER BY "order" """,
            [DESCRIPTION],
        )
    )
