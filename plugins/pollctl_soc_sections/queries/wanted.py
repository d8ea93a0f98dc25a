"""The SELECTs behind the report alone: what is wanted most, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database


def most_wanted(db: Database, limit: int) -> list[dict[str, Any]]:
    """The sections that the most subscriptions follow by their own index."""
    return list(
        db.query(
            """SELECT term, campus, index_number, title, section.status, section.course, count(*) AS people
               FROM soc_subscriptions AS subscription JOIN soc_sections AS section USING (term, campus, index_number)
               WHERE subscription.course = '' AND subscription.status IN ('pending', 'active', 'paused')
               GROUP BY 1, 2, 3 ORDER BY people DESC, 1, 2, 3 LIMIT ?""",
            [limit],
        )
    )


def changes(db: Database, section: Mapping[str, Any], since: str) -> list[tuple[str, str]]:
    """When a section became what since a moment, oldest first."""
    return db.execute(
        """SELECT event_at, status FROM soc_status_events
           WHERE term = :term AND campus = :campus AND index_number = :index_number AND event_at >= :since ORDER BY id""",
        {**section, "since": since},
    ).fetchall()


def happened(db: Database, since: str) -> dict[str, int]:
    """How many openings there were since a moment, how many events there are in all, and how many live subscriptions."""
    (openings, total) = db.execute(
        "SELECT coalesce(sum(status = 'OPEN' AND event_at >= ?), 0), count(*) FROM soc_status_events", [since]
    ).fetchone()
    (live,) = db.execute(
        "SELECT count(*) FROM soc_subscriptions WHERE status IN ('pending', 'active', 'paused')"
    ).fetchone()
    return {"openings": openings, "events": total, "subscriptions": live}
