"""Sections: first sights, misses, openings and closings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pollctl import to_text
from pollctl_soc_sections.model import CloseSection, CountMisses, OpenEvent, StoreStates
from pollctl_soc_sections.store import notifications

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def store_states(db: Database, stored: Sequence[StoreStates], _: Run) -> None:
    """Store the statuses of sections at first sight."""
    db.conn.executemany(
        """INSERT INTO soc_sections (term, campus, index_number, status, changed_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET status = excluded.status, changed_at = excluded.changed_at, is_known = 1""",
        [
            (first.term, first.campus, index, status, to_text(first.at))
            for first in stored
            for status, indexes in (("OPEN", first.open), ("CLOSED", first.closed))
            for index in indexes
        ],
    )


def count_misses(db: Database, counted: Sequence[CountMisses], _: Run) -> None:
    """Count a miss where a section was not listed, and none where it is back."""
    db.conn.executemany(
        """UPDATE soc_sections SET misses = misses + 1, missed_at = ?
           WHERE term = ? AND campus = ? AND index_number = ?""",
        [(to_text(it.at), it.term, it.campus, index) for it in counted for index in it.missed],
    )
    db.conn.executemany(
        "UPDATE soc_sections SET misses = 0 WHERE term = ? AND campus = ? AND index_number = ?",
        [(it.term, it.campus, index) for it in counted for index in it.back],
    )


def close_sections(db: Database, closed: Sequence[CloseSection], run: Run) -> None:
    """A close ends the episode: the next opening is notified again."""
    keys = [(it.term, it.campus, it.index_number) for it in closed]
    db.conn.executemany(
        """UPDATE soc_sections SET status = 'CLOSED', misses = 0, episode = episode + 1, changed_at = ?
           WHERE term = ? AND campus = ? AND index_number = ?""",
        [(to_text(it.event_at), *key) for it, key in zip(closed, keys, strict=True)],
    )
    db.conn.executemany(
        """UPDATE soc_subscriptions SET last_known_section_status = 'CLOSED'
           WHERE term = ? AND campus = ? AND index_number = ? AND last_known_section_status = 'OPEN'
           AND status <> 'unsubscribed'""",
        keys,
    )
    _add_status_events(db, closed, "CLOSED", "OPEN", -1, run)
    run.count(closed=len(closed))


def open_sections(db: Database, events: Sequence[OpenEvent], run: Run) -> None:
    """Open what was closed, and record the events that people are notified of."""
    opened = [event for event in events if event.status_before == "CLOSED"]
    db.conn.executemany(
        """UPDATE soc_sections SET status = 'OPEN', changed_at = ?
           WHERE term = ? AND campus = ? AND index_number = ?""",
        [(to_text(it.event_at), it.term, it.campus, it.index_number) for it in opened],
    )
    _add_status_events(db, opened, "OPEN", "CLOSED", 1, run)
    notifications.add_events(db, events, run)
    run.count(opened=len(opened))


def _add_status_events(
    db: Database, changed: Sequence[OpenEvent | CloseSection], status: str, before: str, seat_delta: int, run: Run
) -> None:
    db.conn.executemany(
        """INSERT INTO soc_status_events (term, campus, index_number, status, status_before, seat_delta, episode,
           event_at, dedupe_key, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (dedupe_key) DO NOTHING""",
        [
            (it.term, it.campus, it.index_number, status, before, seat_delta, it.episode,
             to_text(it.event_at), it.dedupe_key, run.id)
            for it in changed
        ],
    )  # fmt: skip
