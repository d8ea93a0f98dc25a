"""Who is notified of a job. Addresses are secret: a number stands for each until a notification is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def recipients_of(db: Database, ids: Iterable[int]) -> dict[int, list[int]]:
    """Numbers of the recipients of some jobs, by the ids of the jobs."""
    found: dict[int, list[int]] = {}
    for job_id, number in db.execute(
        "SELECT job_id, id FROM latency_notify WHERE job_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        [json.dumps(list(ids))],
    ):
        found.setdefault(job_id, []).append(number)
    return found


def address_of(db: Database, recipient: int | None) -> str | None:
    """The Apprise address of a recipient; None where there is none (any more)."""
    row = db.execute("SELECT url FROM latency_notify WHERE id = ?", [recipient]).fetchone()
    return row[0] if row else None
