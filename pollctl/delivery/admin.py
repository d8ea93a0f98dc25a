"""What a person sees of the outbox, and may do to it by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl.api.outcomes import CHANGEABLE
from pollctl.clock import to_text
from pollctl.errors import UsageError
from pollctl.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database


def counts(db: Database) -> dict[str, dict[str, int]]:
    """How many effects each plugin has, by status."""
    found: dict[str, dict[str, int]] = {}
    for plugin, status, number in db.conn.execute("SELECT plugin, status, count(*) FROM outbox GROUP BY 1, 2"):
        found.setdefault(plugin, {})[status] = number
    return found


def listing(db: Database, *, plugin: str = "", status: str = "", limit: int = -1) -> list[dict[str, Any]]:
    """Effects as rows, newest first; payload and result decoded."""
    found = db.query(
        "SELECT * FROM outbox WHERE (?='' OR plugin=?) AND (?='' OR status=?) ORDER BY id DESC LIMIT ?",
        (plugin, plugin, status, status, limit),
    )
    return [
        {**row, "payload": json.loads(row["payload"]), "result": json.loads(row["result"] or "null")} for row in found
    ]


def effect(db: Database, number: int) -> dict[str, Any]:
    """Everything about one effect; payload and result decoded.

    Raises:
        UsageError: there is none of this id.
    """
    for row in db.query("SELECT * FROM outbox WHERE id=?", [number]):
        return {**row, "payload": json.loads(row["payload"]), "result": json.loads(row["result"] or "null")}
    raise UsageError(f"no effect {number}; `pollctl outbox list` lists them")


def retry_now(db: Database, numbers: Sequence[int], now: datetime) -> None:
    """Put effects that are dead, unknown or waiting back to be sent by the next pass, their attempts counted from 0 again.

    Raises:
        UsageError: one of them is not there, or is delivered or being sent.
    """
    _change(
        db,
        numbers,
        CHANGEABLE,
        "status='pending', attempts=0, next_attempt_at=?",
        [to_text(now)],
    )


def drop(db: Database, numbers: Sequence[int]) -> None:
    """Give effects up: they stay listed as ``dead`` and their keys stay known, so nothing queues them again.

    Raises:
        UsageError: one of them is not there, or is delivered or being sent.
    """
    _change(db, numbers, CHANGEABLE, "status='dead', last_error='dropped by hand'", [])


def _change(
    db: Database, numbers: Sequence[int], allowed: Sequence[str], assignment: str, values: Sequence[str]
) -> None:
    with writing(db):
        for number in numbers:
            row = db.conn.execute("SELECT status FROM outbox WHERE id=?", (number,)).fetchone()
            if row is None or row[0] not in allowed:
                state = f"is {row[0]}" if row else "does not exist"
                raise UsageError(f"effect {number} {state}; only {', '.join(allowed)} ones can be changed")
            db.conn.execute(f"UPDATE outbox SET {assignment} WHERE id=?", (*values, number))  # noqa: S608
