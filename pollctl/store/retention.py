"""Old rows go, a bounded number at the end of each pass, so that no pass ever pays for years at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pollctl.clock import to_text
from pollctl.damage import moment_of
from pollctl.store.database import writing
from pollctl.store.runs import id_prefix

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.schema import Retention

ROWS_A_STEP = 500
_DOUBTFUL = timedelta(days=1)


class _Old(NamedTuple):
    """What is old in a family of tables: rows of *table* before a moment in the spelling that *spelled* gives it."""

    family: str
    table: str
    condition: str
    spelled: Callable[[datetime], str]


_OLD = (
    _Old("recordings", "recordings", "run_id < ?", id_prefix),
    _Old("runs", "runs", "id < ? AND outcome <> 'running'", id_prefix),
    # Without them the next answer comes in full, that is all.
    _Old("runs", "validators", "kept_at < ?", to_text),
    # The key of an effect is known until long after it arrived, or died, however long it waited for that.
    _Old("effects", "outbox", "status = 'delivered' AND delivered_at < ?", to_text),
    _Old("effects", "outbox", "status = 'dead' AND next_attempt_at < ?", to_text),
)


def prune(db: Database, retention: Retention, now: datetime, *, limit: int = ROWS_A_STEP) -> dict[str, int]:
    """Delete at most *limit* rows of each family that are older than the settings keep them; answers how many went."""
    deleted = dict.fromkeys((old.family for old in _OLD), 0)
    for old in _OLD:
        before = old.spelled(now - getattr(retention, old.family))
        chosen = f"SELECT rowid FROM {old.table} WHERE {old.condition} LIMIT ?"  # noqa: S608 - names of our own
        if db.conn.execute(chosen, (before, 1)).fetchone():
            with writing(db):
                statement = f"DELETE FROM {old.table} WHERE rowid IN ({chosen})"  # noqa: S608
                deleted[old.family] += db.conn.execute(statement, (before, limit - deleted[old.family])).rowcount
    return deleted


def prune_after_pass(db: Database, retention: Retention, now: datetime) -> datetime | None:
    """As ``prune``, but by a moment that the clock alone cannot move: had it jumped ahead, every row would be old.

    Answers that moment, or None where there is none and nothing was deleted.
    """
    moment = _proven(db, retention, now)
    if moment:
        prune(db, retention, moment)
    return moment


def _proven(db: Database, retention: Retention, now: datetime) -> datetime | None:
    """How far time has come for certain: when the newest run began that lies a while back; None without any.

    A while is a day, or as long as rows are kept where that is shorter. Runs since then prove nothing: they may be of the
    same wrong hour.
    """
    doubtful = min(_DOUBTFUL, retention.runs, retention.recordings, retention.effects)
    before = id_prefix(now - doubtful)
    row = db.conn.execute("SELECT started_at FROM runs WHERE id < ? ORDER BY id DESC LIMIT 1", (before,)).fetchone()
    return moment_of(row[0]) if row else None
