"""Passes that lie behind: which there were, how the last ones ended, since when a plugin fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl.api.outcomes import FAILURES
from pollctl.clock import to_text
from pollctl.store import database, runs

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.settings import Config

_HIDDEN = ("trace_id", "pid", "host")


class Wanted(NamedTuple):
    """Which passes: of a plugin (empty: of all), begun since a moment, ended in one way, ended since a moment."""

    plugin: str = ""
    since: datetime | None = None
    outcome: str = ""
    ended_since: datetime | None = None


def past_runs(db: Database, wanted: Wanted, *, limit: int = -1) -> list[dict[str, Any]]:
    """Passes, newest first; without process details."""
    conditions = {
        "plugin=?": wanted.plugin,
        "id>=?": runs.id_prefix(wanted.since) if wanted.since else "",
        "outcome=?": wanted.outcome,
        "finished_at>=?": to_text(wanted.ended_since) if wanted.ended_since else "",
    }
    chosen = {condition: value for condition, value in conditions.items() if value}
    found = runs.rows(db, " AND ".join(chosen) or "1", list(chosen.values()), limit=limit)
    return [{key: run[key] for key in run if key not in _HIDDEN} for run in found]


class PastPasses:
    """What the database remembers of the passes of each plugin."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def outcomes(self, plugin: str, *, limit: int) -> list[str]:
        """How the last passes of a plugin ended, the newest last."""
        newest = self._db.conn.execute(
            "SELECT outcome FROM runs WHERE plugin=? ORDER BY id DESC LIMIT ?", [plugin, limit]
        )
        return [outcome for (outcome,) in newest][::-1]

    def failing_since(self, plugin: str) -> str | None:
        """When the first of the passes began that have failed in a row; None while none has."""
        row = self._db.conn.execute(
            "SELECT min(started_at) FROM runs WHERE plugin=?1 AND outcome IN (?2, ?3) AND id > "
            "coalesce((SELECT max(id) FROM runs WHERE plugin=?1 AND outcome NOT IN (?2, ?3)), '')",
            [plugin, *FAILURES],
        ).fetchone()
        return str(row[0]) if row[0] else None


@contextmanager
def past_passes(config: Config) -> Iterator[PastPasses]:
    """The past of all plugins; an empty one where there is no database yet.

    Raises:
        DatabaseError: it cannot be used.
    """
    with database.looking(config.core.database) as db:
        yield PastPasses(db)
