"""What is remembered of targets between two looks, and the ids of news that was told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import from_text, to_text
from pollctl.targets.model import Kept, Look, Memory, Unchanged, Validators

if TYPE_CHECKING:
    from sqlite_utils import Database


class Memories:
    """What a plugin remembers.

    Args:
        plugin: its name, which its tables begin with.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin

    def load(self, db: Database, looks: Sequence[Look]) -> dict[str, Memory]:
        """What is known of the targets of looks, by title; the row of an added one that was removed may be another's by now."""
        chosen = json.dumps([[look.row, look.title] for look in looks])
        rows = db.conn.execute(
            f"""SELECT j.value ->> 1, t.id, t.added, m.definition, t.name, m.value, t.failures, t.failing_since, t.is_alerted
                FROM json_each(?) AS j LEFT JOIN {self._plugin}_targets AS t
                ON t.id = coalesce(j.value ->> 0,
                    (SELECT max(id) FROM {self._plugin}_targets WHERE name = j.value ->> 1 AND added IS NULL))
                AND (t.added IS NULL OR t.name = j.value ->> 1)
                LEFT JOIN {self._plugin}_memory AS m ON m.target = t.id""",  # noqa: S608
            (chosen,),
        )
        read = {look.title for look in looks if not look.is_unchanged and not look.error}
        found = {row[0]: row[1:] for row in rows}
        told = self._told(db, [row[0] for title, row in found.items() if title in read and row[0] is not None])
        return {title: _memory(row, told.get(row[0], [])) for title, row in found.items()}

    def _told(self, db: Database, numbers: Sequence[int]) -> dict[int, list[str]]:
        rows = db.conn.execute(
            f"SELECT target, id FROM {self._plugin}_told WHERE target IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(numbers),),
        )
        found: dict[int, list[str]] = {}
        for target, one in rows:
            found.setdefault(target, []).append(one)
        return found

    def keep(self, db: Database, kept: Sequence[Kept], rows: Mapping[str, int], now: datetime) -> None:
        """Remember what was decided to be kept, and the ids of its news."""
        at = to_text(now)
        db.conn.executemany(
            f"INSERT OR REPLACE INTO {self._plugin}_memory (target, definition, value, validators, kept_at, answer) "  # noqa: S608
            f"VALUES (?,?,?,coalesce(?, (SELECT validators FROM {self._plugin}_memory WHERE target=?1), '{{}}'),?,?)",
            [
                (
                    rows[one.look.title],
                    one.look.definition,
                    json.dumps(one.value),
                    _json_of(one.look.validators),
                    at,
                    one.look.answer if one.is_settled else "",
                )
                for one in kept
            ],
        )
        db.conn.executemany(
            f"INSERT OR IGNORE INTO {self._plugin}_told VALUES (?,?,?)",  # noqa: S608
            [(rows[one.look.title], known, at) for one in kept for known in one.ids],
        )

    def note_answers(self, db: Database, unchanged: Sequence[Unchanged], rows: Mapping[str, int]) -> None:
        """Note by what the upstream tells whether its answer has changed, and the answer itself, where nothing else has."""
        db.conn.executemany(
            f"UPDATE {self._plugin}_memory SET validators=coalesce(?, validators), answer=? WHERE target=?",  # noqa: S608
            [
                (_json_of(one.look.validators), one.look.answer, rows[one.look.title])
                for one in unchanged
                if not one.look.is_unchanged
            ],
        )

    def forget(self, db: Database, row: int) -> None:
        """Forget what a target is compared with."""
        db.conn.execute(f"DELETE FROM {self._plugin}_memory WHERE target=?", (row,))  # noqa: S608


def _memory(row: Sequence[Any], told: list[str]) -> Memory:
    number, added, definition, name, value, failures, failing_since, is_alerted = row
    return Memory(
        row=number,
        added=added,
        definition=definition or "",
        was_called=name or "",
        value=json.loads(value) if value else None,
        is_baseline_needed=value is None,
        told=told,
        failures=failures or 0,
        failing_since=from_text(failing_since) if failing_since else None,
        is_alerted=bool(is_alerted),
    )


def _json_of(validators: Validators | None) -> str | None:
    return None if validators is None else msgspec.json.encode(validators).decode()
