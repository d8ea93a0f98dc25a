"""Who is notified of a job. Addresses are secret: a number stands for each until a message is queued."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pollctl import Secret

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


def addresses_of(db: Database, recipients: Iterable[int]) -> list[Secret]:
    """The Apprise addresses of recipients, as far as they are still there."""
    rows = db.execute(
        "SELECT url FROM latency_notify WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        [json.dumps(list(recipients))],
    )
    return [Secret(url) for (url,) in rows]
