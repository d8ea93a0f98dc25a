"""Which lanes have an effect to send, in the order in which they may: the core's alerts, the others, then suspects.

An effect whose delivery was cut off may be the one that killed the process. Until the process has survived it, it is a
*suspect* (``tries_alone`` is not NULL) and goes alone: those first that never were, so that one poisoned effect takes no
neighbour along.
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
    """Effects of one sort.

    Attributes:
        sort: the condition that they fulfil.
        order: of their lanes.
        width: how many may be on their way at once.
        is_paged: whether all of them go in one pass, page by page in the order of their numbers.
    """

    sort: str
    order: str = "id"
    width: int = 1
    is_paged: bool = True

    def of_core(self) -> Phase:
        """The core's own effects of this sort."""
        return self._replace(sort=f"{self.sort} AND {IS_CORE}")


IS_CORE = f"kind GLOB '{CORE_PREFIX}*'"
CORE = Phase(f"{IS_CORE} AND tries_alone IS NULL")
OTHERS = Phase(f"NOT {IS_CORE} AND tries_alone IS NULL", width=SIDE_BY_SIDE)


def _suspects(tries: str) -> Phase:
    return Phase(f"tries_alone{tries}", f"tries_alone, {IS_CORE} DESC, id", is_paged=False)


SUSPECTS = (_suspects("=0"), _suspects("=1"))
DEADLY = _suspects(">=2")
"""Two passes that died while an effect was alone on its way are taken for no accident."""


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

    def due(self, phase: Phase, now: datetime) -> Iterator[str]:
        """Yield the lanes whose oldest open effect is due and of the sort of a phase.

        A page at a time, as there may be a million.
        """
        last = 0
        limit = _PAGE if phase.is_paged else _SUSPECTS_A_PASS
        while heads := self._heads(phase, now, last, limit):
            yield from (lane for _, lane in heads)
            if not phase.is_paged:
                return
            last = heads[-1][0]

    def head(self, lane: str, phase: Phase, now: datetime) -> int | None:
        """Number of the oldest open effect of a lane, if it is due and of the sort of a phase."""
        row = self._db.conn.execute(
            f"SELECT id, {self._is_due} AND {phase.sort} FROM outbox WHERE plugin=:plugin AND lane=:lane "  # noqa: S608 - own text
            "AND status IN ('pending', 'sending') ORDER BY id LIMIT 1",
            {**self._moments(now), "plugin": self._plugin, "lane": lane},
        ).fetchone()
        return row[0] if row and row[1] else None

    def _heads(self, phase: Phase, now: datetime, last: int, limit: int) -> list[tuple[int, str]]:
        after = "id>:last" if phase.is_paged else "1"
        rows: list[tuple[int, str]] = self._db.conn.execute(
            f"SELECT id, lane FROM outbox AS head WHERE plugin=:plugin AND status='pending' AND {after} "  # noqa: S608
            f"AND {self._is_due} AND {phase.sort} AND NOT EXISTS ("
            "SELECT 1 FROM outbox AS older WHERE older.plugin=head.plugin AND older.lane=head.lane "
            "AND older.status IN ('pending', 'sending') AND older.id<head.id) "
            f"ORDER BY {phase.order} LIMIT :limit",
            {**self._moments(now), "plugin": self._plugin, "last": last, "limit": limit},
        ).fetchall()
        return rows

    @property
    def _is_due(self) -> str:
        """Whether an effect may be sent now.

        What was queued for at once is due whatever the clock says: it may have been set back since. And no effect that was
        tried waits longer than its longest pause: a moment beyond that was written while the clock was ahead.
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
