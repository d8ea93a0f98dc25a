"""What fetch asks the database: which runs need something now, and when the next one will."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pollctl import to_text
from pollctl_shell_query.model import Batch, Job, Settings
from pollctl_shell_query.store.rows import EXPIRED_TARGETS, FAILED_STARTS, JOBS, count_active, ids_of, job_of, moment_of

if TYPE_CHECKING:
    from sqlite_utils import Database


class DueRun(NamedTuple):
    """A run to be asked about, and its SQL text, which is removed from what the upstream answers."""

    job: Job
    sql: str | None


def upkeep(db: Database, now: datetime, settings: Settings) -> Batch:
    """What is to be done without a request."""
    return Batch(
        canceled=ids_of(
            db,
            """SELECT id FROM shell_query_runs JOIN shell_query_polls ON run_id = id
               WHERE closed_at IS NULL AND status = 'canceled'""",
        ),
        failed_starts=ids_of(db, FAILED_STARTS),
        unpolled=ids_of(
            db,
            """SELECT id FROM shell_query_runs WHERE status IN ('queued', 'running') AND completed_at IS NULL
               AND task_id IS NOT NULL AND coalesce(poll_started_at, started_at, created_at) < ?
               AND NOT EXISTS (SELECT 1 FROM shell_query_polls WHERE run_id = id AND closed_at IS NULL)""",
            to_text(now - settings.reconcile_after),
        ),
        expired_targets=ids_of(db, EXPIRED_TARGETS, to_text(now - settings.target_keep)),
    )


def due(db: Database, now: datetime) -> list[DueRun]:
    """The runs to be asked about, the longest due first."""
    rows = db.execute(
        f"""{JOBS} WHERE run.status = 'running' AND run_id IS NOT NULL AND closed_at IS NULL AND next_poll_at <= ?
        ORDER BY next_poll_at, run.id""",
        [to_text(now)],
    )
    return [DueRun(job_of(row), row[-1]) for row in rows]


def next_poll_at(db: Database, now: datetime) -> datetime | None:
    """When the next run is due, if that lies ahead."""
    (moment,) = db.execute(
        "SELECT min(next_poll_at) FROM shell_query_polls WHERE closed_at IS NULL AND next_poll_at > ?", [to_text(now)]
    ).fetchone()
    return moment_of(moment)


def waiting(db: Database, settings: Settings) -> list[str]:
    """Runs that may be started, the oldest first; none when there is no room."""
    room = settings.max_active - count_active(db)
    if room <= 0:
        return []
    return ids_of(
        db,
        """SELECT id FROM shell_query_runs WHERE status = 'queued' AND admitted_at IS NULL AND task_id IS NULL
           AND completed_at IS NULL ORDER BY created_at, id LIMIT ?""",
        room,
    )


def is_sweep_due(db: Database, oldest: datetime, latest: datetime) -> bool:
    """Whether there may be definitions made before *oldest*, and the last sweep was not after *latest*."""
    row = db.execute(
        """SELECT EXISTS (SELECT 1 FROM shell_query_runs WHERE created_at < ?)
               AND NOT EXISTS (SELECT 1 FROM shell_query_sweeps WHERE swept_at > ?)""",
        [to_text(oldest), to_text(latest)],
    ).fetchone()
    return bool(row[0])
