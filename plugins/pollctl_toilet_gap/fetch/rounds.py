"""What a pass does: days begin, the queue is drained, then the checks are folded, with the history where it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pollctl import Run
from pollctl_toilet_gap.fetch.checks import DueChecks
from pollctl_toilet_gap.fetch.days import beginnings
from pollctl_toilet_gap.fetch.expiry import expired
from pollctl_toilet_gap.fetch.queue import queued
from pollctl_toilet_gap.fetch.replays import replays
from pollctl_toilet_gap.model import Batch
from pollctl_toilet_gap.store import due

if TYPE_CHECKING:
    from sqlite_utils import Database


def batches(run: Run, db: Database) -> Iterator[Batch]:
    """Yield the days that begin, the alarms that do not go out, what the queue held, and the checks that are open."""
    yield from beginnings(run, db)
    if run.addresses and (undelivered := due.undelivered_alarms(db)):
        yield Batch(undelivered=undelivered)
    drained = yield from queued(run, db)
    yield from replays(db)
    yield from DueChecks(run, db, queue=drained).batches()
    yield from expired(run, db)
