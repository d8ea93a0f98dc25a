"""News on its way to people: told at once, or kept until it is gathered into one message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import Run, from_text, to_text
from pollctl.targets.decide import people
from pollctl.targets.model import Gathered, News, Target, Told, Waiting
from pollctl.targets.words import message

if TYPE_CHECKING:
    from sqlite_utils import Database


class Telling:
    """The news of one plugin.

    Args:
        plugin: its name, which its tables begin with.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._table = f"{plugin}_waiting"

    def next_digest(self, db: Database) -> datetime | None:
        """When the next news has waited long enough."""
        (at,) = db.conn.execute(f"SELECT min(due_at) FROM {self._table}").fetchone()  # noqa: S608 - a name of our own
        return from_text(at) if at else None

    def waiting(self, db: Database) -> list[Waiting]:
        """All that waits, the oldest first."""
        rows = db.conn.execute(
            f"SELECT w.id, t.name, w.news, w.due_at FROM {self._table} AS w "  # noqa: S608
            f"JOIN {self._plugin}_targets AS t ON t.id = w.target ORDER BY w.id"
        )
        return [
            Waiting(id=number, title=title, news=msgspec.json.decode(news, type=News), due_at=from_text(due_at))
            for number, title, news, due_at in rows
        ]

    def tell(self, db: Database, told: Told, row: int, run: Run, targets: Mapping[str, Target]) -> None:
        """Tell the news of one target in one message, or let it wait."""
        if told.digest:
            due_at = to_text(run.now + told.digest)
            db.conn.executemany(
                f"INSERT INTO {self._table} (target, news, due_at) VALUES (?,?,?)",  # noqa: S608
                [(row, msgspec.json.encode(one).decode(), due_at) for one in told.news],
            )
            return
        target = targets[told.title]
        words = message(told.title, [(one, target.address) for one in told.news])
        _send(run, f"{row}:{to_text(run.now)}", target, *words)

    def tell_gathered(self, db: Database, gathered: Gathered, run: Run, targets: Mapping[str, Target]) -> None:
        """Tell news that has waited long enough in one message."""
        waiting = gathered.waiting
        news = [(one.news, targets[one.title].address if one.title in targets else "") for one in waiting]
        words = message(self._plugin, news)
        _send(run, f"digest:{waiting[0].id}:{to_text(run.now)}", targets.get(waiting[0].title), *words)
        db.conn.executemany(f"DELETE FROM {self._table} WHERE id=?", [(one.id,) for one in waiting])  # noqa: S608


def _send(run: Run, key: str, target: Target | None, title: str, body: str, level: Any) -> None:
    run.tell(key, title, body, to=people(target, run.settings) or None, level=level)
