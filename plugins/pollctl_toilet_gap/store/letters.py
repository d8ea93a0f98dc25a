"""Dead letters: written, put back by hand, and named where they may have been a visit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import PollctlError, UsageError, from_text, to_text
from pollctl_toilet_gap.model import DeadLetter, Letter, Replay, UnreadEvent

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_READABLE = "replayed_at IS NULL AND NOT (key >= 'future:' AND key < 'future;')"
"""Which may be put back: a time that was too far ahead is never believed."""


def add_dead_letters(db: Database, found: Sequence[DeadLetter], run: Run) -> int:
    """Write dead letters, each once however often it comes; answers how many are new.

    A pass that meets one that may be a visit of a watched robot says so.
    """
    new = 0
    for letter in found:
        poison = letter.poison
        added = db.execute(
            """INSERT INTO status_check_dead_letter (key, source, reason, robot_id, event_id, body, created_at,
                   subscription_id, event_name, event_at, is_watched) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (key) DO NOTHING RETURNING id""",
            [
                poison.key,
                poison.source,
                letter.reason,
                poison.robot_id,
                poison.event_id,
                poison.body,
                to_text(run.now),
                poison.subscription_id,
                poison.event_name,
                to_text(poison.at) if poison.at else None,
                letter.is_watched,
            ],
        ).fetchall()
        new += len(added)
        if added and letter.is_watched:
            run.failed(f"event of {poison.robot_id or 'an unknown robot'}", f"it cannot be read: {letter.reason}")
    return new


def known(db: Database, keys: Sequence[str]) -> list[str]:
    """Those of some keys that are there already."""
    if not keys:
        return []
    sql = "SELECT key FROM status_check_dead_letter WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key"
    return [key for (key,) in db.execute(sql, [json.dumps(list(keys))])]


def unread(db: Database, ids: str) -> defaultdict[int, list[UnreadEvent]]:
    """What was received of the robot of each check since its window began, and could not be read; *ids* is a JSON list."""
    found: defaultdict[int, list[UnreadEvent]] = defaultdict(list)
    rows = db.execute(
        """SELECT c.id, letter.reason, letter.created_at, letter.event_at
           FROM json_each(?) JOIN status_check AS c ON c.id = value
               JOIN status_check_poller AS w ON w.status_check_id = c.id
               JOIN status_check_dead_letter AS letter ON letter.created_at > w.since AND letter.replayed_at IS NULL
           WHERE coalesce(letter.robot_id = c.robot_id, 1)
               AND coalesce(letter.event_name = json_extract(c.settings, '$.event'), 1)
               AND (letter.robot_id IS NOT NULL OR letter.subscription_id IS NULL OR letter.subscription_id IN
                   (SELECT subscription_id FROM status_check_subscription WHERE status_check_id = c.id))
           ORDER BY c.id, letter.id""",
        [ids],
    )
    for number, reason, received_at, at in rows:
        event = UnreadEvent(reason=reason, received_at=from_text(received_at), at=from_text(at) if at else None)
        found[number].append(event)
    return found


def put_back(db: Database) -> list[Letter]:
    """Dead letters that a person put back, the oldest first."""
    rows = db.execute(
        """SELECT id, source, key, robot_id, event_name, body FROM status_check_dead_letter
           WHERE replay_at IS NOT NULL ORDER BY id"""
    )
    return [
        Letter(id=row[0], source=row[1], key=row[2], robot_id=row[3], event_name=row[4], body=row[5]) for row in rows
    ]


def record_replays(db: Database, replays: Sequence[Replay], run: Run) -> None:
    """Note what became of dead letters that were put back."""
    for it in replays:
        db.execute(
            """UPDATE status_check_dead_letter SET replay_at = NULL, replayed_at = ?
               WHERE id IN (SELECT value FROM json_each(?))""",
            [to_text(it.at), json.dumps(it.letters)],
        )
        db.execute(
            "UPDATE status_check_dead_letter SET replay_at = NULL WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(it.failed)],
        )
        if it.failed:
            numbers = ", ".join(map(str, it.failed))
            run.log(f"dead letters that were put back and still cannot be read, or belong to no check: {numbers}")


def replay(db: Database, number: int | None, now: datetime) -> int:
    """Put one dead letter back, or all; the next pass reads them. Answers how many.

    Raises:
        UsageError: there is none with this id.
        PollctlError: it was read already, or is not to be believed.
    """
    chosen = db.execute(
        f"""UPDATE status_check_dead_letter SET replay_at = coalesce(replay_at, ?1)
            WHERE (?2 IS NULL OR id = ?2) AND {_READABLE} RETURNING id""",  # noqa: S608 - own text
        [to_text(now), number],
    ).fetchall()
    if number is not None and not chosen:
        if db.execute("SELECT 1 FROM status_check_dead_letter WHERE id = ?", [number]).fetchone() is None:
            raise UsageError(f"no dead letter {number}; `pollctl toilet-gap dead-letters` lists them")
        raise PollctlError(f"dead letter {number} was put back before, or its time was too far ahead to be believed")
    return len(chosen)
