"""How rows become values, for all that reads runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pollctl import from_text
from pollctl_shell_query.model import Job

if TYPE_CHECKING:
    from sqlite_utils import Database

JOBS = """SELECT run.id, run.status, target_de_customer_key, target_fields IS NOT NULL, coalesce(customer_key, ''), task_id,
    query_definition_id, coalesce(poll_started_at, started_at, created_at), run_id IS NOT NULL AND closed_at IS NULL,
    coalesce(poll_count, 0), next_poll_at, not_running_detected_at, coalesce(not_running_confirmations, 0),
    coalesce(rowset_attempts, 0), row_probe_last_at, coalesce(auth_failures, 0), sql_text
    FROM shell_query_runs AS run LEFT JOIN shell_query_polls ON run_id = run.id"""
"""Runs with their poll state, for ``job_of``; the SQL text is last."""
FAILED_STARTS = """SELECT run.id, coalesce(last_error, 'it was dropped') FROM shell_query_runs AS run
    JOIN outbox ON plugin = 'shell_query' AND kind = 'start' AND lane = 'run:' || run.id AND outbox.status = 'dead'
    WHERE run.status = 'queued'"""
EXPIRED_TARGETS = """SELECT id FROM shell_query_runs
    WHERE target_fields IS NOT NULL AND target_cleared_at IS NULL AND completed_at <= ?"""


def job_of(row: Sequence[Any]) -> Job:
    """A row of ``JOBS`` as a value."""
    return Job(
        id=row[0],
        status=row[1],
        target=row[2],
        is_own_target=bool(row[3]),
        customer_key=row[4],
        task_id=row[5],
        object_id=row[6],
        started_at=moment_of(row[7]),
        is_polled=bool(row[8]),
        poll_count=row[9],
        next_poll_at=moment_of(row[10]),
        first_false_at=moment_of(row[11]),
        confirmations=row[12],
        rowset_attempts=row[13],
        probed_at=moment_of(row[14]),
        auth_failures=row[15],
    )


def ids_of(db: Database, statement: str, *values: object) -> list[str]:
    """The first column of what a statement finds."""
    return [row[0] for row in db.execute(statement, list(values))]


def moment_of(text: str | None) -> datetime | None:
    """The moment of a column, if there is one."""
    return from_text(text) if text else None


def count_active(db: Database) -> int:
    """How many runs are running, or on their way to it."""
    (number,) = db.execute(
        """SELECT count(*) FROM shell_query_runs WHERE completed_at IS NULL
           AND (status = 'running' OR (status = 'queued' AND admitted_at IS NOT NULL))"""
    ).fetchone()
    return int(number)
