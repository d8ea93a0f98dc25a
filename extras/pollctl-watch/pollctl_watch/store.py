"""Texts as they were kept: every SQL statement about them."""

from __future__ import annotations

import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pollctl import HttpUrl, Run, to_text
from pollctl.targets import Kept
from pollctl_watch.model import Remembered, Watch

if TYPE_CHECKING:
    from sqlite_utils import Database

SLOW_S = 10.0
"""Seconds between two requests to a host from which on they are made in passes of their own."""
_ROW = "coalesce(:row, (SELECT max(id) FROM watch_targets WHERE name = :title))"


class Snapshot(NamedTuple):
    """A text of a watch; *number* 1 is the latest."""

    number: int
    at: str
    text: str


def keep_texts(db: Database, kept: Sequence[Kept], watches: Mapping[str, Watch], now: datetime) -> None:
    """Keep the texts of what was decided to be remembered, unless it is the same as the last one; and only the last ones."""
    rows = [_bound(one, watches[one.look.title].keep, now) for one in kept]
    db.conn.executemany(
        f"""INSERT INTO watch_snapshots (target, at, text) SELECT {_ROW}, :at, :text WHERE :limit > 0
            AND :text IS NOT (SELECT text FROM watch_snapshots WHERE target = {_ROW} ORDER BY id DESC LIMIT 1)""",  # noqa: S608
        rows,
    )
    db.conn.executemany(
        f"""DELETE FROM watch_snapshots WHERE target = {_ROW} AND id <= (SELECT id FROM watch_snapshots
            WHERE target = {_ROW} ORDER BY id DESC LIMIT 1 OFFSET :limit)""",  # noqa: S608
        rows,
    )


def slow_hosts(db: Database, watches: Iterable[Watch]) -> Mapping[str, float]:
    """Hosts whose rate is too slow for a second request in one pass, with the seconds between two; that of the slowest watch.

    Args:
        db: where watches are that were added.
        watches: those of the settings.
    """
    found: dict[str, float] = {}
    for one in [*watches, *_added_with_a_rate(db)]:
        if one.seconds_between >= SLOW_S:
            found[one.host] = max(one.seconds_between, found.get(one.host, 0))
    return found


def _added_with_a_rate(db: Database) -> Iterator[Watch]:
    rate = "iif(json_valid(added), added ->> 'rate', '')"
    for url, text in db.conn.execute(f"SELECT added ->> 'url', added ->> 'rate' FROM watch_targets WHERE {rate} <> ''"):  # noqa: S608
        with suppress(ValueError):  # it is not valid any more, so it is not asked
            yield Watch(url=HttpUrl(url), rate=text)


def hold(slow: Mapping[str, float], asked: Container[str], run: Run) -> None:
    """Let slow hosts that were asked rest between passes."""
    for host, seconds in slow.items():
        until = run.now + timedelta(seconds=seconds)
        if host in asked and until > (run.held_until(host) or run.now):
            run.hold(host, until)


def _bound(kept: Kept, limit: int, now: datetime) -> dict[str, Any]:
    text = msgspec.convert(kept.value, Remembered).text
    return {
        "row": kept.look.row,
        "title": kept.look.title,
        "at": to_text(now),
        "text": zlib.compress(text.encode("utf-8", "replace")),
        "limit": limit,
    }


def snapshots(db: Database, row: int) -> list[Snapshot]:
    """The texts of a watch, the latest first."""
    rows = db.conn.execute("SELECT at, text FROM watch_snapshots WHERE target = ? ORDER BY id DESC", (row,))
    return [Snapshot(number, at, zlib.decompress(text).decode()) for number, (at, text) in enumerate(rows, 1)]


def changed(db: Database, since: str, limit: int) -> list[tuple[str, str, str]]:
    """Name, last text but one and last text of the watches whose text changed after a moment, the latest first.

    What is read by another selector than the text before it has not changed.
    """
    rows = db.conn.execute(
        """SELECT name, (SELECT text FROM watch_snapshots WHERE target = latest.target AND id < latest.id
                         ORDER BY id DESC LIMIT 1) AS before, text
           FROM watch_snapshots AS latest JOIN watch_targets ON watch_targets.id = latest.target
           WHERE at >= ? AND at <= changed_at AND before IS NOT NULL
                 AND latest.id = (SELECT max(id) FROM watch_snapshots WHERE target = latest.target)
           ORDER BY latest.id DESC LIMIT ?""",
        (since, limit),
    )
    return [(name, *(zlib.decompress(text).decode() for text in texts)) for name, *texts in rows]
