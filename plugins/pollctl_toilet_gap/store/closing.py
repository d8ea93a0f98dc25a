"""Ending a check by hand."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import PollctlError, to_text
from pollctl_toilet_gap import queries

if TYPE_CHECKING:
    from sqlite_utils import Database


def close(db: Database, number: int, now: datetime) -> None:
    """Ask for the end of a check; the next pass folds it up to then, and ends it.

    Raises:
        UsageError: there is no such check.
        PollctlError: it is over.
    """
    found = queries.check(db, number)
    if found["phase"] == "COMPLETE":
        raise PollctlError(f"check {number} is over already: {found['result']}")
    db.execute(
        "UPDATE status_check SET closing_at = coalesce(closing_at, ?1), updated_at = ?1 WHERE id = ?2",
        [to_text(now), number],
    )
