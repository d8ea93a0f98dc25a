"""News on its way to people: told at once, or kept until it is gathered into one message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pollctl import Run, Secret, address_digest, from_text, to_text
from pollctl.targets.decide import people
from pollctl.targets.model import Gathered, Told, Waiting
from pollctl.targets.target import News, Target
from pollctl.targets.words import Words, message

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

    def next_digest(self, db: Database, now: datetime) -> datetime | None:
        """When the next news has waited long enough; what came while the clock was ahead has."""
        (at,) = db.conn.execute(
            f"SELECT min(iif(came_at > ?1, ?1, due_at)) FROM {self._table}",  # noqa: S608 - a name of our own
            (to_text(now),),
        ).fetchone()
        return from_text(at) if at else None

    def waiting(self, db: Database, titles: Mapping[int, str], now: datetime) -> list[Waiting]:
        """All that waits, the oldest first; *titles* are those of rows whose targets were called otherwise."""
        people = self._people(db)
        rows = db.conn.execute(
            f"SELECT w.id, w.target, t.name, w.news, w.due_at <= ?1 OR w.came_at > ?1, w.is_personal "  # noqa: S608
            f"FROM {self._table} AS w JOIN {self._plugin}_targets AS t ON t.id = w.target ORDER BY w.id",
            (to_text(now),),
        )
        return [
            Waiting(
                id=number,
                row=row,
                title=titles.get(row, name),
                news=msgspec.json.decode(news, type=News),
                is_due=bool(is_due),
                is_personal=bool(is_personal),
                people=people.get(row, ()),
            )
            for number, row, name, news, is_due, is_personal in rows
        ]

    def _people(self, db: Database) -> dict[int, tuple[str, ...]]:
        """Digests of the addresses of those whom added targets name of which news waits, by their rows."""
        rows = db.conn.execute(
            f"SELECT target, url FROM {self._plugin}_notify WHERE target IN (SELECT target FROM {self._table}) "  # noqa: S608
            "ORDER BY target, number"
        )
        return {row: tuple(address_digest(url) for _, url in found) for row, found in groupby(rows, itemgetter(0))}

    def _addresses(self, db: Database, row: int) -> tuple[Secret, ...]:
        """The addresses of those whom an added target names: its row knows them when nothing else knows it any more."""
        query = f"SELECT url FROM {self._plugin}_notify WHERE target=? ORDER BY number"  # noqa: S608
        return tuple(Secret(url) for (url,) in db.conn.execute(query, (row,)))

    def tell(self, db: Database, told: Told, row: int, run: Run, targets: Mapping[str, Target]) -> None:
        """Tell the news of one target in one message, or let it wait."""
        target = targets[told.title]
        if told.digest:
            came_at, due_at = to_text(run.now), to_text(run.now + told.digest)
            db.conn.executemany(
                f"INSERT INTO {self._table} (target, news, came_at, due_at, is_personal) VALUES (?,?,?,?,?)",  # noqa: S608
                [(row, _text_of(one, target), came_at, due_at, bool(target.notify)) for one in told.news],
            )
            return
        words = message(told.title, [(one, target.address) for one in told.news])
        _send(run, f"{row}:{to_text(run.now)}", people(target, run.settings), words)

    def tell_gathered(self, db: Database, gathered: Gathered, run: Run, targets: Mapping[str, Target]) -> None:
        """Tell news that has waited long enough in one message."""
        waiting, first = gathered.waiting, gathered.waiting[0]
        words = message(self._plugin, [(one.news, "") for one in waiting])
        to = self._addresses(db, first.row) if first.people else people(targets.get(first.title), run.settings)
        _send(run, f"digest:{first.id}:{to_text(run.now)}", to, words)
        db.conn.executemany(f"DELETE FROM {self._table} WHERE id=?", [(one.id,) for one in waiting])  # noqa: S608

    def withdraw(self, db: Database, rows: Sequence[int]) -> set[int]:
        """Take back news for people who are not known any more: those whom targets named that are no more; answers their rows."""
        chosen = "target IN (SELECT value FROM json_each(?)) AND is_personal RETURNING target"
        return {row for (row,) in db.conn.execute(f"DELETE FROM {self._table} WHERE {chosen}", (json.dumps(rows),))}  # noqa: S608


def _text_of(news: News, target: Target) -> str:
    """News as JSON, with where it can be seen: its target may be another by the time it is told."""
    return msgspec.json.encode(replace(news, url=news.url or target.address)).decode()


def _send(run: Run, key: str, to: Sequence[Secret], words: Words) -> None:
    run.tell(key, words.title, words.body, to=to or None, level=words.level, format=words.format, attach=words.attach)
