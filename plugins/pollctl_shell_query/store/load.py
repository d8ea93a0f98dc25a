"""The rows that one batch needs, and those that deliver needs of one run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pollctl import to_text
from pollctl_shell_query.model import Batch, Column, Job, State
from pollctl_shell_query.store.rows import EXPIRED_TARGETS, FAILED_STARTS, JOBS, count_active, ids_of, job_of

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_NEEDED_KEYS = "SELECT customer_key FROM shell_query_runs WHERE completed_at IS NULL AND customer_key <> ''"


class RunDetails(NamedTuple):
    """What must be known of a run to start it, or to clean up after it."""

    run_id: str
    status: str
    name: str
    sql: str
    target: str
    columns: list[Column]
    update_type: str
    customer_key: str
    object_id: str | None


def load(db: Database, batch: Batch, run: Run) -> State:
    """The rows that one batch needs."""
    kept_since = to_text(run.now - run.settings.target_keep)
    return State(
        jobs=_jobs(db, _run_ids(batch)),
        active=count_active(db) if batch.waiting else 0,
        failed_starts=dict(db.execute(FAILED_STARTS).fetchall()) if batch.failed_starts else {},
        needed_keys=ids_of(db, _NEEDED_KEYS) if batch.definitions else [],
        expired_targets=ids_of(db, EXPIRED_TARGETS, kept_since) if batch.expired_targets else [],
    )


def _run_ids(batch: Batch) -> list[str]:
    asked = [response.run_id for response in batch.responses]
    return [*batch.canceled, *batch.failed_starts, *batch.unpolled, *batch.exhausted, *batch.waiting, *asked]


def _jobs(db: Database, ids: Iterable[str]) -> dict[str, Job]:
    rows = db.execute(
        f"{JOBS} WHERE run.id IN (SELECT value FROM json_each(?)) ORDER BY run.id",  # noqa: S608 - own text
        [json.dumps(list(ids))],
    )
    return {row[0]: job_of(row) for row in rows}


def run_details(db: Database, run_id: str) -> RunDetails | None:
    """One run as deliver needs it."""
    row = db.execute(
        """SELECT id, status, name, coalesce(sql_text, ''), target_de_customer_key, coalesce(target_fields, '[]'),
               target_update_type, coalesce(customer_key, ''), query_definition_id FROM shell_query_runs WHERE id = ?""",
        [run_id],
    ).fetchone()
    if row is None:
        return None
    found = RunDetails(*row)
    return found._replace(columns=msgspec.json.decode(row[5], type=list[Column]))
