"""The SQL of a pass: what fetch and deliver ask, and ``load``; what is written stands in apply.py and settle.py."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pollctl import Secret, from_text, to_text
from pollctl_shell_query.model.columns import Field
from pollctl_shell_query.model.decisions import Batch, Decision, Job, Settings, State, Token
from pollctl_shell_query.store import apply as writing

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

_JOBS = """SELECT run.id, run.status, target_de_customer_key, target_fields IS NOT NULL, coalesce(customer_key, ''), task_id,
    query_definition_id, coalesce(poll_started_at, started_at, created_at), run_id IS NOT NULL AND closed_at IS NULL,
    coalesce(poll_count, 0), next_poll_at, not_running_detected_at, coalesce(not_running_confirmations, 0),
    coalesce(rowset_attempts, 0), row_probe_last_at, sql_text
    FROM shell_query_runs AS run LEFT JOIN shell_query_polls ON run_id = run.id"""
_STILLBORN = """SELECT run.id, coalesce(last_error, 'it was dropped') FROM shell_query_runs AS run
    JOIN outbox ON plugin = 'shell_query' AND kind = 'start' AND lane = 'run:' || run.id AND outbox.status = 'dead'
    WHERE run.status = 'queued'"""
_OUTLIVED = """SELECT id FROM shell_query_runs
    WHERE target_fields IS NOT NULL AND target_cleared_at IS NULL AND completed_at <= ?"""


class Due(NamedTuple):
    """A run to be asked about, and its SQL text, which what is said about it must not repeat."""

    job: Job
    sql: str | None


class ToStart(NamedTuple):
    """What must be known of a run to start it, or to clean up after it."""

    run_id: str
    status: str
    name: str
    sql: str
    target: str
    fields: list[Field]
    update_type: str
    customer_key: str
    object_id: str | None


# what fetch asks


def upkeep(db: Database, now: datetime, settings: Settings) -> Batch:
    """What is to be done without asking anybody."""
    return Batch(
        canceled=_ids(
            db,
            """SELECT id FROM shell_query_runs JOIN shell_query_polls ON run_id = id
               WHERE closed_at IS NULL AND status = 'canceled'""",
        ),
        stillborn=_ids(db, _STILLBORN),
        stuck=_ids(
            db,
            """SELECT id FROM shell_query_runs WHERE status IN ('queued', 'running') AND completed_at IS NULL
               AND task_id IS NOT NULL AND coalesce(poll_started_at, started_at, created_at) < ?
               AND NOT EXISTS (SELECT 1 FROM shell_query_polls WHERE run_id = id AND closed_at IS NULL)""",
            to_text(now - settings.reconcile_after),
        ),
        outlived=_ids(db, _OUTLIVED, to_text(now - settings.target_keep)),
    )


def due(db: Database, now: datetime) -> list[Due]:
    """The runs to be asked about, the longest due first."""
    rows = db.execute(
        f"""{_JOBS} WHERE run.status = 'running' AND run_id IS NOT NULL AND closed_at IS NULL AND next_poll_at <= ?
        ORDER BY next_poll_at, run.id""",
        [to_text(now)],
    )
    return [Due(_job(row), row[-1]) for row in rows]


def next_poll_at(db: Database, now: datetime) -> datetime | None:
    """When the next run is due, if that lies ahead."""
    (moment,) = db.execute(
        "SELECT min(next_poll_at) FROM shell_query_polls WHERE closed_at IS NULL AND next_poll_at > ?", [to_text(now)]
    ).fetchone()
    return _moment(moment)


def waiting(db: Database, settings: Settings) -> list[str]:
    """Runs that may be started, the oldest first; none when there is no room."""
    room = settings.max_active - active(db)
    if room <= 0:
        return []
    return _ids(
        db,
        """SELECT id FROM shell_query_runs WHERE status = 'queued' AND admitted_at IS NULL AND task_id IS NULL
           AND completed_at IS NULL ORDER BY created_at, id LIMIT ?""",
        room,
    )


def active(db: Database) -> int:
    """How many runs are running, or on their way to it."""
    (number,) = db.execute(
        """SELECT count(*) FROM shell_query_runs WHERE completed_at IS NULL
           AND (status = 'running' OR (status = 'queued' AND admitted_at IS NOT NULL))"""
    ).fetchone()
    return int(number)


def token(db: Database) -> Token | None:
    """The token of earlier passes."""
    row = db.execute("SELECT access_token, grantor, renew_at, soap_url, rest_url FROM shell_query_tokens").fetchone()
    if row is None:
        return None
    return Token(
        access_token=Secret(row[0]), grantor=row[1], renew_at=from_text(row[2]), soap_url=row[3], rest_url=row[4]
    )


def is_sweep_due(db: Database, oldest: datetime, latest: datetime) -> bool:
    """Whether there may be definitions made before *oldest*, and the last sweep was not after *latest*."""
    row = db.execute(
        """SELECT EXISTS (SELECT 1 FROM shell_query_runs WHERE created_at < ?)
               AND NOT EXISTS (SELECT 1 FROM shell_query_sweeps WHERE swept_at > ?)""",
        [to_text(oldest), to_text(latest)],
    ).fetchone()
    return bool(row[0])


# what deliver asks


def to_start(db: Database, run_id: str) -> ToStart | None:
    """One run as deliver needs it."""
    row = db.execute(
        """SELECT id, status, name, coalesce(sql_text, ''), target_de_customer_key, coalesce(target_fields, '[]'),
               target_update_type, coalesce(customer_key, ''), query_definition_id FROM shell_query_runs WHERE id = ?""",
        [run_id],
    ).fetchone()
    if row is None:
        return None
    found = ToStart(*row)
    return found._replace(fields=msgspec.json.decode(row[5], type=list[Field]))


# load


def load(db: Database, batch: Batch, run: Run) -> State:
    """The rows that one batch needs."""
    asked = [reading.run_id for reading in batch.readings]
    jobs = _jobs(db, [*batch.canceled, *batch.stillborn, *batch.stuck, *batch.spent, *batch.waiting, *asked])
    keep = run.settings.target_keep
    return State(
        jobs=jobs,
        active=active(db) if batch.waiting else 0,
        stillborn=dict(db.execute(_STILLBORN).fetchall()) if batch.stillborn else {},
        living=_ids(db, "SELECT customer_key FROM shell_query_runs WHERE completed_at IS NULL AND customer_key <> ''")
        if batch.definitions
        else [],
        undeleted=_ids(db, _OUTLIVED, to_text(run.now - keep)) if batch.outlived else [],
    )


def _jobs(db: Database, ids: Iterable[str]) -> dict[str, Job]:
    rows = db.execute(
        f"{_JOBS} WHERE run.id IN (SELECT value FROM json_each(?)) ORDER BY run.id",  # noqa: S608 - own text
        [json.dumps(list(ids))],
    )
    return {row[0]: _job(row) for row in rows}


def _job(row: Sequence[Any]) -> Job:
    return Job(
        id=row[0],
        status=row[1],
        target=row[2],
        is_own_target=bool(row[3]),
        customer_key=row[4],
        task_id=row[5],
        object_id=row[6],
        started_at=_moment(row[7]),
        is_polled=bool(row[8]),
        poll_count=row[9],
        next_poll_at=_moment(row[10]),
        first_false_at=_moment(row[11]),
        confirmations=row[12],
        rowset_attempts=row[13],
        probed_at=_moment(row[14]),
    )


def _ids(db: Database, statement: str, *values: object) -> list[str]:
    return [row[0] for row in db.execute(statement, list(values))]


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


# apply


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, each kind at once, and queue what is to be done upstream."""
    writing.apply(db, decisions, run)
