"""Which lanes have an effect to send, in the order in which they may: the core's alerts, the others, then suspects.

An effect whose delivery was cut off may be the one that killed the process. Until the process has survived it, it is a
*suspect* (``tries_alone`` is not NULL) and goes alone: those first that never were, so that one poisoned effect takes no
neighbour along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pollctl.clock import from_text, to_text
from pollctl.delivery.effects import CORE_PREFIX
from pollctl.delivery.policy import LONGEST_TIRELESS_PAUSE, Policy

if TYPE_CHECKING:
    from sqlite_utils import Database

SIDE_BY_SIDE = 8
_FEW = 1000
_PAGE = 1000
_NEVER = "~"
_LAST_ID = 2**63 - 1


class Phase(NamedTuple):
    """Effects of one sort.

    Attributes:
        sort: the condition that they fulfil.
        order: of their lanes.
        width: how many may be on their way at once.
        found_by: the index that finds them, where there are few of them; empty for the sort that may be a million.
    """

    sort: str
    order: str = "id"
    width: int = 1
    found_by: str = ""

    def of_core(self) -> Phase:
        """The core's own effects of this sort."""
        return self._replace(sort=f"{self.sort} AND {IS_CORE}")


class _Waiting(NamedTuple):
    """Pending effects that may be due: those of an index whose next attempt lies after *lower*, up to *upper*."""

    found_by: str
    lower: tuple[str, int]
    upper: str
    condition: str = "1"
    kind: str = ""


IS_CORE = f"kind GLOB '{CORE_PREFIX}*'"
CORE = Phase(f"{IS_CORE} AND tries_alone IS NULL", found_by="outbox_core")
OTHERS = Phase(f"NOT {IS_CORE} AND tries_alone IS NULL", width=SIDE_BY_SIDE)


def _suspects(tries: str) -> Phase:
    return Phase(f"tries_alone{tries}", f"tries_alone, {IS_CORE} DESC, id", found_by="outbox_suspects")


SUSPECTS = (_suspects("=0"), _suspects("=1"))
DEADLY = _suspects(">=2")
"""Two passes that died while an effect was alone on its way are taken for no accident."""

_OPEN = "plugin=:plugin AND status IN ('pending', 'sending')"
_IS_FIRST = (
    "NOT EXISTS (SELECT 1 FROM outbox AS older INDEXED BY outbox_open WHERE older.plugin=head.plugin "
    "AND older.lane=head.lane AND older.status IN ('pending', 'sending') AND older.id<head.id)"
)
# From lane to lane through the index, whose entries between them are not read.
_HEADS_OF_LANES = f"""
WITH RECURSIVE lanes (lane) AS (
    SELECT (SELECT min(lane) FROM outbox INDEXED BY outbox_open WHERE {_OPEN})
    UNION ALL
    SELECT (SELECT min(lane) FROM outbox INDEXED BY outbox_open WHERE {_OPEN} AND lane>lanes.lane)
    FROM lanes WHERE lanes.lane IS NOT NULL
    LIMIT :limit
)
SELECT (SELECT min(id) FROM outbox INDEXED BY outbox_open WHERE {_OPEN} AND lane=lanes.lane)
FROM lanes WHERE lane IS NOT NULL
"""  # noqa: S608 - own text

_TRIED = "plugin=:plugin AND status='pending' AND attempts>0"
_TRIED_KINDS = f"""
WITH RECURSIVE kinds (kind) AS (
    SELECT (SELECT min(kind) FROM outbox INDEXED BY outbox_tried WHERE {_TRIED})
    UNION ALL
    SELECT (SELECT min(kind) FROM outbox INDEXED BY outbox_tried WHERE {_TRIED} AND kind>kinds.kind)
    FROM kinds WHERE kind IS NOT NULL
)
SELECT kind FROM kinds WHERE kind IS NOT NULL
"""  # noqa: S608 - own text


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

    def due(self, phase: Phase, now: datetime, is_over: Callable[[], bool] = bool) -> Iterator[str]:
        """Yield the lanes whose oldest open effect is due and of the sort of a phase.

        Oldest first; of more than a thousand lanes, the thousand that have waited longest first. There may be a million
        effects, in as many lanes or in one: neither those that stand behind others nor those that rest are looked at
        one by one, as far as an index can tell. *is_over* ends it between two pages.
        """
        values = {**self._moments(now), "plugin": self._plugin}
        if phase.found_by:
            yield from self._of_index(phase, values)
            return
        heads = self._db.conn.execute(_HEADS_OF_LANES, {**values, "limit": _FEW + 1}).fetchall()
        if len(heads) <= _FEW:
            yield from self._of_heads(phase, [number for (number,) in heads], values)
            return
        for waiting in self._waiting(values):
            yield from self._of_waiting(phase, waiting, values, is_over)

    def head(self, lane: str, phase: Phase, now: datetime) -> int | None:
        """Number of the oldest open effect of a lane, if it is due and of the sort of a phase."""
        row = self._db.conn.execute(
            f"SELECT id, {self._is_due} AND {phase.sort} FROM outbox INDEXED BY outbox_open WHERE {_OPEN} "  # noqa: S608
            "AND lane=:lane ORDER BY id LIMIT 1",
            {**self._moments(now), "plugin": self._plugin, "lane": lane},
        ).fetchone()
        return row[0] if row and row[1] else None

    def next_try(self, now: datetime) -> datetime | None:
        """When the next of the open effects is tried: *now* for one that is due or on its way; None where none is open.

        Of more than a thousand lanes none is looked at: then it is *now*.
        """
        values = {**self._moments(now), "plugin": self._plugin}
        heads = [number for (number,) in self._db.conn.execute(_HEADS_OF_LANES, {**values, "limit": _FEW + 1})]
        if len(heads) > _FEW:
            return now
        chosen = ", ".join(map(str, heads))
        (at,) = self._db.conn.execute(
            f"SELECT min(iif(status='sending' OR {self._is_due}, :now, next_attempt_at)) FROM outbox "  # noqa: S608
            f"WHERE id IN ({chosen})",
            values,
        ).fetchone()
        return from_text(at) if at else None

    def _of_index(self, phase: Phase, values: dict[str, str]) -> Iterator[str]:
        """The lanes of a sort of which there are few."""
        rows = self._db.conn.execute(
            f"SELECT lane FROM outbox AS head INDEXED BY {phase.found_by} WHERE plugin=:plugin AND status='pending' "  # noqa: S608
            f"AND {self._is_due} AND {phase.sort} AND {_IS_FIRST} ORDER BY {phase.order} LIMIT {_FEW}",
            values,
        ).fetchall()
        yield from (lane for (lane,) in rows)

    def _of_heads(self, phase: Phase, heads: list[int], values: dict[str, str]) -> Iterator[str]:
        """Their lanes, of those that are due and of the phase."""
        chosen = ", ".join(map(str, heads))
        rows = self._db.conn.execute(
            f"SELECT lane FROM outbox WHERE id IN ({chosen}) AND {self._is_due} AND {phase.sort} ORDER BY id",  # noqa: S608
            values,
        ).fetchall()
        yield from (lane for (lane,) in rows)

    def _waiting(self, moments: dict[str, str]) -> Iterator[_Waiting]:
        """Where those lie that ``_is_due`` lets pass: what has come, then what a clock that ran ahead has written."""
        now, until, tireless_until = (moments[name] for name in ("now", "until", "tireless_until"))
        yield _Waiting("outbox_due", ("", 0), now)
        yield _Waiting("outbox_at_once", (now, _LAST_ID), _NEVER, "attempts=0 AND next_attempt_at<=created_at")
        for (kind,) in self._db.conn.execute(_TRIED_KINDS, {"plugin": self._plugin}).fetchall():
            lower = tireless_until if kind in self._tireless else until
            yield _Waiting("outbox_tried", (lower, _LAST_ID), _NEVER, "attempts>0 AND kind=:kind", kind)

    def _of_waiting(
        self, phase: Phase, waiting: _Waiting, values: dict[str, str], is_over: Callable[[], bool]
    ) -> Iterator[str]:
        """The lanes of those that are heads, a page at a time."""
        page = (
            f"SELECT next_attempt_at, id, lane, {self._is_due} AND {phase.sort} AND {_IS_FIRST} "  # noqa: S608
            f"FROM outbox AS head INDEXED BY {waiting.found_by} WHERE plugin=:plugin AND status='pending' "
            "AND (next_attempt_at, id)>(:at, :last) AND next_attempt_at<=:upper "
            f"AND {waiting.condition} ORDER BY next_attempt_at, id LIMIT {_PAGE}"
        )
        at, last = waiting.lower
        while not is_over():
            bounds = {"at": at, "last": last, "upper": waiting.upper, "kind": waiting.kind}
            rows = self._db.conn.execute(page, {**values, **bounds}).fetchall()
            if not rows:
                return
            yield from (lane for _, lane in sorted((number, lane) for _, number, lane, is_head in rows if is_head))
            at, last = rows[-1][:2]

    @property
    def _tireless_names(self) -> str:
        return ", ".join(f":tireless{number}" for number in range(len(self._tireless)))

    @property
    def _is_due(self) -> str:
        """Whether an effect may be sent now.

        What was queued for at once is due whatever the clock says: it may have been set back since. And no effect that was
        tried waits longer than its longest pause: a moment beyond that was written while the clock was ahead (what
        ``clock.is_waiting`` says, in SQL).
        """
        return (
            "(status='pending' AND (next_attempt_at<=:now OR attempts=0 AND next_attempt_at<=created_at"
            f" OR attempts>0 AND next_attempt_at>iif(kind IN ({self._tireless_names}), :tireless_until, :until)))"
        )

    def _moments(self, now: datetime) -> dict[str, str]:
        return {
            "now": to_text(now),
            "until": to_text(now + self._longest_pause),
            "tireless_until": to_text(now + LONGEST_TIRELESS_PAUSE),
            **{f"tireless{number}": kind for number, kind in enumerate(self._tireless)},
        }
