"""Ids of runs as people write them: a few letters, a beginning, or ``latest``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pollctl.api.names import canonical
from pollctl.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from sqlite_utils import Database

LATEST = "latest"
_SHORT = 6
_NAMED = 5
_RANDOM = "substr(id, instr(id, '-') + 1)"


def shortened(db: Database, run_ids: Iterable[str]) -> dict[str, str]:
    """The short form of each id: the first six letters of its random part, more where two passes share those."""
    parts = {run_id: run_id.partition("-")[2] for run_id in run_ids}
    beginnings = json.dumps(sorted({part[:_SHORT] for part in parts.values()}))
    alike: dict[str, list[str]] = {}
    rows = db.conn.execute(
        f"SELECT {_RANDOM} AS part FROM runs WHERE substr(part, 1, {_SHORT}) IN (SELECT value FROM json_each(?))",  # noqa: S608
        [beginnings],
    )
    for (part,) in rows:
        alike.setdefault(part[:_SHORT], []).append(part)
    return {run_id: _unique(part, alike.get(part[:_SHORT], ())) or run_id for run_id, part in parts.items()}


def resolved(db: Database, words: Sequence[str]) -> list[str]:
    """The ids that *words* mean, in their order; ``latest`` takes the name of a plugin that follows it along.

    Raises:
        DatabaseError: there is no such run.
        UsageError: a beginning fits more than one.
    """
    waiting = [part for word in words for part in word.split()] or [LATEST]
    found = []
    while waiting:
        word = waiting.pop(0)
        if word != LATEST:
            found.append(_one(db, word))
        elif waiting and _has_run(db, waiting[0]):
            found.append(_latest(db, canonical(waiting.pop(0))))
        else:
            found.append(_latest(db, ""))
    return found


def _unique(part: str, others: Sequence[str]) -> str:
    """As much of a random part as no other begins with; empty where another is the same."""
    if others.count(part) > 1:
        return ""
    return next(
        (part[:size] for size in range(_SHORT, len(part)) if sum(one.startswith(part[:size]) for one in others) < 2),  # noqa: PLR2004 - itself
        part,
    )


def _has_run(db: Database, name: str) -> bool:
    return bool(db.conn.execute("SELECT 1 FROM runs WHERE plugin=? LIMIT 1", [canonical(name)]).fetchone())


def _latest(db: Database, plugin: str) -> str:
    where, values = ("WHERE plugin=?", [plugin]) if plugin else ("", [])
    row = db.conn.execute(f"SELECT max(id) FROM runs {where}", values).fetchone()  # noqa: S608
    if row[0] is None:
        raise DatabaseError("no pass yet; `pollctl run PLUGIN` makes one")
    return str(row[0])


def _one(db: Database, text: str) -> str:
    found = [
        str(row[0])
        for row in db.conn.execute(
            f"SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 OR substr({_RANDOM}, 1, length(?1)) = ?1 "  # noqa: S608
            "ORDER BY id DESC",
            [text],
        )
    ]
    if text in found:
        return text
    listed = [run_id for run_id in found if run_id.partition("-")[2].startswith(text)]
    if (
        len(text) >= _SHORT and len(listed) == 1
    ):  # as `history` prints it, even where it looks like the beginning of a date
        return listed[0]
    if not found:
        raise DatabaseError(f"no run {text!r}; `pollctl history` lists them")
    if len(found) > 1:
        named = ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
        raise UsageError(f"{text!r} is the beginning of {len(found)} runs: {named}; write more of it")
    return found[0]
