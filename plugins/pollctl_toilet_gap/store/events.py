"""What is known of the events that a batch names: those that wait, have a record, or are not to be believed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pollctl import from_text
from pollctl_toilet_gap.model import Event

if TYPE_CHECKING:
    from sqlite_utils import Database


def pending(db: Database, ids: str) -> defaultdict[int, list[Event]]:
    """The events that wait for the fold of each check; *ids* is a JSON list."""
    found: defaultdict[int, list[Event]] = defaultdict(list)
    rows = db.execute(
        """SELECT status_check_id, event_id, event_at FROM json_each(?)
           JOIN status_check_incoming ON status_check_id = value ORDER BY status_check_id, event_at, event_id""",
        [ids],
    )
    for number, event_id, at in rows:
        found[number].append(Event(event_id, from_text(at)))
    return found


def recorded(db: Database, asked: Mapping[int, Sequence[str]]) -> defaultdict[int, list[str]]:
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


def quarantined(db: Database, asked: Mapping[int, tuple[str, Sequence[str]]]) -> defaultdict[int, list[str]]:
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
