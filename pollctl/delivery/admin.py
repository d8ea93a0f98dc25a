"""What a person sees of the outbox, and may do to it by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl.api.outcomes import CHANGEABLE
from pollctl.clock import to_text
from pollctl.damage import json_of
from pollctl.errors import UsageError
from pollctl.store import idle
from pollctl.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database


def counts(db: Database) -> dict[str, dict[str, int]]:
    """How many effects each plugin has, by status."""
    found: dict[str, dict[str, int]] = {}
    for plugin, status, number in db.conn.execute("SELECT plugin, status, count(*) FROM outbox GROUP BY 1, 2"):
        found.setdefault(plugin, {})[status] = number
    return found


# As bytes, so that even one that bytes flipped in is found again.
_GROUPS = """
    SELECT CAST(plugin AS BLOB), CAST(status AS BLOB), count(*) FROM outbox
    WHERE ?1 IN ('', plugin) AND ?2 IN ('', status) GROUP BY plugin, status
"""


class Listing(NamedTuple):
    """Effects as rows, newest first, payload and result decoded; ``more`` of them were left out."""

    rows: list[dict[str, Any]]
    more: int


def listing(db: Database, *, plugin: str = "", status: str = "", limit: int) -> Listing:
    """The newest effects of a plugin and in a status, or of all, at most *limit*.

    Each plugin's effects in each status are asked for by themselves: so an index answers, however many others there are.
    """
    found: list[dict[str, Any]] = []
    total = 0
    for owner, state, number in db.conn.execute(_GROUPS, (plugin, status)):
        chosen = "SELECT * FROM outbox WHERE plugin=CAST(? AS TEXT) AND status=CAST(? AS TEXT) ORDER BY id DESC LIMIT ?"
        found += db.query(chosen, [owner, state, limit])
        total += number
    newest = sorted(found, key=itemgetter("id"), reverse=True)[:limit]
    rows = [{**row, "payload": json_of(row["payload"]), "result": json_of(row["result"])} for row in newest]
    return Listing(rows, total - len(rows))


def dead(db: Database) -> list[int]:
    """The ids of all effects that were given up, oldest first."""
    return [number for (number,) in db.conn.execute("SELECT id FROM outbox WHERE status='dead' ORDER BY id")]


def plugins_of(db: Database, numbers: Sequence[int]) -> dict[str, int]:
    """How many of these effects each plugin has."""
    owners = [db.conn.execute("SELECT plugin FROM outbox WHERE id=?", (number,)).fetchone()[0] for number in numbers]
    return dict(Counter(owners))


def effect(db: Database, number: int) -> dict[str, Any]:
    """Everything about one effect; payload and result decoded.

    Raises:
        UsageError: there is none of this id.
    """
    for row in db.query("SELECT * FROM outbox WHERE id=?", [number]):
        return {**row, "payload": json_of(row["payload"]), "result": json_of(row["result"])}
    raise UsageError(f"no effect {number}; `pollctl outbox list` lists them")


def retry_now(db: Database, numbers: Sequence[int], now: datetime) -> None:
    """Put effects that are dead, unknown or waiting back to be sent by the next pass, their attempts counted from 0 again.

    One that may have killed its pass still goes alone.

    Raises:
        UsageError: one of them is not there, or is delivered or being sent.
    """
    _change(
        db,
        numbers,
        CHANGEABLE,
        "status='pending', attempts=0, attempts_cut_off=0, next_attempt_at=?, result=NULL, "
        "tries_alone=iif(tries_alone IS NULL, NULL, 0)",
        now,
    )


def drop(db: Database, numbers: Sequence[int], now: datetime) -> None:
    """Give effects up: they stay listed as ``dead`` and their keys stay known, so nothing queues them again.

    Raises:
        UsageError: one of them is not there, or is delivered or being sent.
    """
    assignment = "status='dead', last_error='dropped by hand', next_attempt_at=?"
    _change(db, numbers, CHANGEABLE, assignment, now)
    with writing(db):
        db.conn.executemany("DELETE FROM outbox_addresses WHERE effect_id=?", [(number,) for number in numbers])
        db.conn.executemany("DELETE FROM outbox_attachments WHERE effect_id=?", [(number,) for number in numbers])


def _change(db: Database, numbers: Sequence[int], allowed: Sequence[str], assignment: str, now: datetime) -> None:
    """Change the rows of effects; *assignment* has a mark for *now*."""
    with writing(db):
        for number in numbers:
            row = db.conn.execute("SELECT status FROM outbox WHERE id=?", (number,)).fetchone()
            if row is None or row[0] not in allowed:
                state = f"is {row[0]}" if row else "does not exist"
                raise UsageError(f"effect {number} {state}; only {', '.join(allowed)} ones can be changed")
            db.conn.execute(f"UPDATE outbox SET {assignment} WHERE id=?", (to_text(now), number))  # noqa: S608
        idle.end(db, plugins_of(db, numbers), now)
