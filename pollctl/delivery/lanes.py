"""Which lanes have an effect to send, in the order in which they may: the core's alerts, the others, then suspects.

An effect whose delivery was cut off together with others may be the one that killed the process. Until it has been
tried without company it is a *suspect* (``tries_alone`` is not NULL), goes alone and after everything else, so that one
poisoned effect takes no neighbour along.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from pollctl.clock import to_text
from pollctl.delivery.effects import CORE_PREFIX
from pollctl.delivery.policy import LONGEST_TIRELESS_PAUSE, Policy

SIDE_BY_SIDE = 8
_PAGE = 256
_SUSPECTS_A_PASS = 1000


class Phase(NamedTuple):
    """Lanes of one sort: what their heads have in common, and how many may be on their way at once."""

    is_head: str
    order: str
    width: int
    is_paged: bool = True


_IS_CORE = f"kind GLOB '{CORE_PREFIX}*'"
PHASES = (
    Phase(f"{_IS_CORE} AND tries_alone IS NULL", "id", 1),
    Phase(f"NOT {_IS_CORE} AND tries_alone IS NULL", "id", SIDE_BY_SIDE),
    Phase("tries_alone IS NOT NULL", f"tries_alone, {_IS_CORE} DESC, id", 1, is_paged=False),
)


class Lanes:
    """The lanes of one plugin's outbox.

    Args:
        db: the database.
        plugin: whose lanes.
        policy: what the plugin says of its kinds of effects, and how long one that failed rests at most.
    """

    def __init__(self, db: Database, plugin: str, policy: Policy) -> None:
        self._db = db
        self._plugin = plugin
        self._tireless = sorted(policy.kinds.tireless)
        self._longest_pause = policy.retry.longest_pause

    def due(self, phase: Phase, now: datetime, prefix: str = "") -> Iterator[str]:
        """Yield the lanes of a phase whose oldest open effect is due, those whose names begin with *prefix*.

        A page at a time, as there may be a million.
        """
        last = 0
        limit = _PAGE if phase.is_paged else _SUSPECTS_A_PASS
        while heads := self._heads(phase, now, f"{prefix}*", last, limit):
            yield from (lane for _, lane in heads)
            if not phase.is_paged:
                return
            last = heads[-1][0]

    def head(self, lane: str, now: datetime) -> tuple[int, bool] | None:
        """Number of the oldest open effect of a lane and whether it is due; None in an empty lane."""
        row = self._db.conn.execute(
            f"SELECT id, {self._is_due} FROM outbox WHERE plugin=:plugin AND lane=:lane "  # noqa: S608 - own text
            "AND status IN ('pending', 'sending') ORDER BY id LIMIT 1",
            {**self._moments(now), "plugin": self._plugin, "lane": lane},
        ).fetchone()
        return (row[0], bool(row[1])) if row else None

    def _heads(self, phase: Phase, now: datetime, lanes: str, last: int, limit: int) -> list[tuple[int, str]]:
        rows: list[tuple[int, str]] = self._db.conn.execute(
            f"SELECT id, lane FROM outbox AS head WHERE plugin=:plugin AND status='pending' AND id>:last "  # noqa: S608
            f"AND lane GLOB :lanes AND {self._is_due} AND {phase.is_head} AND NOT EXISTS ("
            "SELECT 1 FROM outbox AS older WHERE older.plugin=head.plugin AND older.lane=head.lane "
            "AND older.status IN ('pending', 'sending') AND older.id<head.id) "
            f"ORDER BY {phase.order} LIMIT :limit",
            {
                **self._moments(now),
                "plugin": self._plugin,
                "last": last,
                "lanes": lanes,
                "limit": limit,
            },
        ).fetchall()
        return rows

    @property
    def _is_due(self) -> str:
        """Whether an effect may be sent now.

        What was queued for at once is due whatever the clock says: it may have been set back since. And no effect that was
        tried waits longer than its longest pause: a moment beyond that was written while the clock was ahead (what
        ``clock.is_waiting`` says, in SQL).
        """
        names = ", ".join(f":tireless{number}" for number in range(len(self._tireless)))
        return (
            "(status='pending' AND (next_attempt_at<=:now OR attempts=0 AND next_attempt_at<=created_at"
            f" OR attempts>0 AND next_attempt_at>iif(kind IN ({names}), :tireless_until, :until)))"
        )

    def _moments(self, now: datetime) -> dict[str, str]:
        return {
            "now": to_text(now),
            "until": to_text(now + self._longest_pause),
            "tireless_until": to_text(now + LONGEST_TIRELESS_PAUSE),
            **{f"tireless{number}": kind for number, kind in enumerate(self._tireless)},
        }
