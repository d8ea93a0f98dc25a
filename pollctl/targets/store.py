"""Every SQL statement that a pass over targets makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pollctl import Run, Secret, to_text
from pollctl.targets.memories import Memories
from pollctl.targets.model import (
    Batch,
    Decision,
    Gathered,
    Kept,
    Missed,
    Retired,
    Same,
    State,
    Told,
    Unchanged,
)
from pollctl.targets.rows import Row
from pollctl.targets.target import Target
from pollctl.targets.telling import Telling

if TYPE_CHECKING:
    from sqlite_utils import Database

HISTORY = 100
RETIRED_FOR = timedelta(days=30)
"""How long a row waits for its target to come back into the settings."""
_COLUMNS = ", ".join(f"t.{name}" for name in Row._fields[:-2])


class Store:
    """The tables of one plugin.

    Args:
        plugin: its name, which theirs begin with.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self.targets = f"{plugin}_targets"
        self._memories = Memories(plugin)
        self._telling = Telling(plugin)

    def stands(self, db: Database) -> list[Row]:
        """All rows as ``rows`` answers them, without what is known of answers."""
        found = db.conn.execute(f"SELECT {_COLUMNS}, NULL, NULL FROM {self.targets} AS t ORDER BY id")  # noqa: S608
        return list(map(Row._make, found))

    def rows(self, db: Database) -> list[Row]:
        """All rows, those without a target too."""
        found = db.conn.execute(
            f"SELECT {_COLUMNS}, m.validators, m.answer FROM {self.targets} AS t "  # noqa: S608 - names of our own
            f"LEFT JOIN {self._plugin}_memory AS m ON m.target = t.id AND m.definition = t.definition ORDER BY t.id"
        )
        return list(map(Row._make, found))

    def next_digest(self, db: Database, now: datetime) -> datetime | None:
        """When the next news has waited long enough."""
        return self._telling.next_digest(db, now)

    def load(self, db: Database, batch: Batch, now: datetime) -> State:
        """What is known of the targets of a batch."""
        waiting = self._telling.waiting(db, batch.titles, now) if batch.is_digest_due else []
        return State(memories=self._memories.load(db, batch.looks), waiting=waiting)

    def added(self, db: Database, titles: Iterable[str]) -> dict[str, str]:
        """The keys of those of some targets that were added by a command, as JSON, by title."""
        rows = db.conn.execute(
            f"SELECT name, added FROM {self.targets} "  # noqa: S608
            "WHERE added IS NOT NULL AND name IN (SELECT value FROM json_each(?))",
            (json.dumps(list(titles)),),
        )
        return dict(rows.fetchall())

    def people(self, db: Database, titles: Iterable[str]) -> dict[str, tuple[Secret, ...]]:
        """Whom those of some targets name that were added by a command, by title."""
        rows = db.conn.execute(
            f"SELECT name, url FROM {self._plugin}_notify JOIN {self.targets} ON id = target "  # noqa: S608
            "WHERE added IS NOT NULL AND name IN (SELECT value FROM json_each(?)) ORDER BY name, number",
            (json.dumps(list(titles)),),
        )
        return {title: tuple(Secret(url) for _, url in found) for title, found in groupby(rows, itemgetter(0))}

    def all_added(self, db: Database) -> dict[str, str]:
        """The keys of all targets that were added by a command, as JSON, by title."""
        rows = db.conn.execute(f"SELECT name, added FROM {self.targets} WHERE added IS NOT NULL ORDER BY id")  # noqa: S608
        return dict(rows.fetchall())

    def apply(self, db: Database, decisions: Sequence[Decision], run: Run, targets: Mapping[str, Target]) -> None:
        """Write decisions; news is told, or waits to be gathered."""
        looked = [one for one in decisions if isinstance(one, Unchanged | Kept | Missed)]
        rows = self._enrolled(db, looked, targets)
        self._note_looks(db, looked, rows, run)
        kept = [one for one in looked if isinstance(one, Kept)]
        self._memories.keep(db, kept, rows, run.now)
        self._note_changes(db, kept, rows, run.now)
        self._memories.note_answers(db, [one for one in looked if isinstance(one, Unchanged)], rows)
        for one in decisions:
            if isinstance(one, Same):
                self._note_same(db, one.rows, run)
        self._note_history(db, [(rows[one.look.title], one.note) for one in looked if one.note], run.now)
        for one in decisions:
            if isinstance(one, Told):
                self._telling.tell(db, one, rows[one.title], run, targets)
            elif isinstance(one, Gathered):
                self._telling.tell_gathered(db, one, run, targets)
        self._retire(db, [one.row for one in decisions if isinstance(one, Retired)], run.now)

    def _enrolled(
        self, db: Database, looked: Sequence[Unchanged | Kept | Missed], targets: Mapping[str, Target]
    ) -> dict[str, int]:
        """The row of each target, made where there is none."""
        rows = {one.look.title: one.look.row for one in looked if one.look.row is not None}
        new = [one.look.title for one in looked if one.look.row is None]
        db.conn.executemany(
            f"INSERT INTO {self.targets} (name, address) VALUES (?,?)",  # noqa: S608
            [(title, targets[title].address) for title in new],
        )
        made = db.conn.execute(
            f"SELECT name, max(id) FROM {self.targets} "  # noqa: S608
            "WHERE added IS NULL AND name IN (SELECT value FROM json_each(?)) GROUP BY name",
            (json.dumps(new),),
        )
        return rows | dict(made.fetchall())

    def enrol(
        self, db: Database, title: str, address: str, added: str | None = None, people: Sequence[Secret] = ()
    ) -> int:
        """Make a row for a target; *added* are its keys as JSON, and *people* whom it names, where it is not in the settings."""
        cursor = db.conn.execute(
            f"INSERT INTO {self.targets} (name, address, added) VALUES (?,?,?)",  # noqa: S608
            (title, address, added),
        )
        row = int(cursor.lastrowid or 0)
        db.conn.executemany(
            f"INSERT INTO {self._plugin}_notify (target, number, url) VALUES (?,?,?)",  # noqa: S608
            [(row, number, person.reveal()) for number, person in enumerate(people)],
        )
        return row

    def delete(self, db: Database, number: int) -> None:
        """Forget a target and all that is known of it."""
        db.conn.execute(f"DELETE FROM {self.targets} WHERE id=?", (number,))  # noqa: S608

    def pause(self, db: Database, number: int, at: str | None) -> None:
        """Note since when a target is paused; None: it is not."""
        db.conn.execute(f"UPDATE {self.targets} SET paused_at=? WHERE id=?", (at, number))  # noqa: S608

    def forget(self, db: Database, number: int) -> None:
        """Forget what a target is compared with; it is due at once."""
        self._memories.forget(db, number)
        db.conn.execute(f"UPDATE {self.targets} SET looked_at=NULL WHERE id=?", (number,))  # noqa: S608

    def history(self, db: Database, number: int) -> list[dict[str, Any]]:
        """What became of a target, the newest first."""
        query = f"SELECT at, text FROM {self._plugin}_history WHERE target=? ORDER BY id DESC"  # noqa: S608
        return list(db.query(query, [number]))

    def _note_looks(
        self, db: Database, looked: Sequence[Unchanged | Kept | Missed], rows: Mapping[str, int], run: Run
    ) -> None:
        at = to_text(run.now)
        missed = [one for one in looked if isinstance(one, Missed)]
        reached = [one for one in looked if not isinstance(one, Missed)]
        db.conn.executemany(
            f"UPDATE {self.targets} SET name=?1, definition=?2, looked_at=?3, reached_at=?3, retired_at=NULL, "  # noqa: S608
            "failures=0, failing_since=NULL, error=NULL, is_alerted=0 WHERE id=?4",
            [(one.look.title, one.look.definition, at, rows[one.look.title]) for one in reached],
        )
        db.conn.executemany(
            f"UPDATE {self.targets} SET name=?, definition=?, looked_at=?, retired_at=NULL, failures=?, "  # noqa: S608
            "failing_since=?, error=?, is_alerted=max(is_alerted, ?) WHERE id=?",
            [_miss(one, rows[one.look.title], at) for one in missed],
        )
        for one in missed:
            if one.look.held and one.look.held_until:
                run.hold(one.look.held, one.look.held_until)
            if not one.look.error:
                uncompared(run).add(one.look.title)
                run.failed(one.look.title, one.reason)
        kept = [one for one in reached if isinstance(one, Kept)]
        baselines = sum(one.is_baseline for one in kept)
        run.count(looked=len(looked), changed=len(kept) - baselines, baselines=baselines, failed=len(missed))

    def _note_changes(self, db: Database, kept: Sequence[Kept], rows: Mapping[str, int], now: datetime) -> None:
        at = to_text(now)
        db.conn.executemany(
            f"UPDATE {self.targets} SET changed_at=? WHERE id=?",  # noqa: S608
            [(at, rows[one.look.title]) for one in kept if not one.is_baseline],
        )

    def _note_same(self, db: Database, numbers: Sequence[int], run: Run) -> None:
        """Note that targets were looked at, but for those that were forgotten meanwhile."""
        db.conn.execute(
            f"UPDATE {self.targets} SET looked_at=?1, reached_at=?1 "  # noqa: S608
            "WHERE id IN (SELECT value FROM json_each(?2)) AND looked_at IS NOT NULL",
            (to_text(run.now), json.dumps(numbers)),
        )
        run.count(looked=len(numbers))

    def _note_history(self, db: Database, notes: Sequence[tuple[int, str]], now: datetime) -> None:
        """Add lines to the histories of targets, of each of which the last hundred are kept."""
        history, at = f"{self._plugin}_history", to_text(now)
        db.conn.executemany(
            f"INSERT INTO {history} (target, at, text) VALUES (?,?,?)",  # noqa: S608
            [(number, at, text) for number, text in notes],
        )
        db.conn.executemany(
            f"DELETE FROM {history} WHERE target=?1 AND id <= (SELECT id FROM {history} WHERE target=?1 "  # noqa: S608
            "ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            [(number, HISTORY) for number, _ in notes],
        )

    def note(self, db: Database, number: int, text: str, now: datetime) -> None:
        """Add a line to the history of a target."""
        self._note_history(db, [(number, text)], now)

    def _retire(self, db: Database, numbers: Sequence[int], now: datetime) -> None:
        db.conn.executemany(
            f"UPDATE {self.targets} SET retired_at=? WHERE id=?",  # noqa: S608
            [(to_text(now), number) for number in numbers],
        )
        untold = self._telling.withdraw(db, numbers)
        text = "taken out of the settings, with news that nobody was told: whom it named is not known any more"
        self._note_history(db, [(number, text) for number in sorted(untold)], now)

    def prune(self, db: Database, now: datetime) -> None:
        """Delete the rows of targets that have been out of the settings for long."""
        db.conn.execute(f"DELETE FROM {self.targets} WHERE retired_at < ?", (to_text(now - RETIRED_FOR),))  # noqa: S608


def uncompared(run: Run) -> set[str]:
    """The targets that answered in this pass, and could not be compared."""
    titles: set[str] = run.once("pollctl.targets.uncompared", set)
    return titles


def _miss(one: Missed, row: int, at: str) -> tuple[Any, ...]:
    look = one.look
    return look.title, look.definition, at, one.failures, to_text(one.since), one.reason, one.is_alert, row
