"""Statements about holds: upstreams that want no request before a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl.clock import from_text, is_waiting, to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

LONGEST = timedelta(days=1)


def keep(db: Database, plugin: str, upstreams: Mapping[str, datetime], now: datetime) -> None:
    """Remember that upstreams want no request before a moment, at most a day ahead; the later moment wins.

    A moment that is farther ahead than that was written while the clock was wrong, and yields.
    """
    latest = now + LONGEST
    rows = [(plugin, upstream, to_text(min(until, latest)), to_text(latest)) for upstream, until in upstreams.items()]
    db.conn.executemany(
        "INSERT INTO holds VALUES (?1,?2,?3) ON CONFLICT (plugin, upstream) DO UPDATE "
        "SET not_before=iif(not_before>?4, excluded.not_before, max(not_before, excluded.not_before))",
        rows,
    )


def of_plugin(db: Database, plugin: str) -> dict[str, datetime]:
    """The moments that a plugin's upstreams have named; ``is_held`` says whether one is still to come."""
    rows = db.conn.execute("SELECT upstream, not_before FROM holds WHERE plugin=?", (plugin,))
    return {upstream: from_text(moment) for upstream, moment in rows}


def is_held(until: datetime | None, now: datetime) -> bool:
    """Whether an upstream wants no request yet."""
    return until is not None and is_waiting(until, now, LONGEST)
