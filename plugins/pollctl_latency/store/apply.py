"""The SQL of a pass: what fetch asks, ``load`` and ``apply``; see also migrations and queries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from pollctl import from_text, to_text
from pollctl_latency.model import (
    AddSample,
    ChangeAlertState,
    CompleteJob,
    Decision,
    Job,
    PruneSamples,
    Rollup,
    RollUpJob,
    Round,
    Sample,
    SampleStatus,
    State,
    Summary,
    Tail,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run

PRUNED_AT_ONCE = 20_000
"""Samples that one pass lets go at most: more than it adds, and few enough to be quick."""

# what fetch asks


def running_jobs(db: Database) -> list[Job]:
    """The jobs that are to be sampled."""
    return _jobs(db, "status = 'running'")


def closed_jobs(db: Database) -> list[Job]:
    """Jobs that someone closed and that have no roll-ups yet."""
    return _jobs(db, "status <> 'running' AND is_rolled_up = 0")


def prunable(db: Database, before: datetime) -> list[int]:
    """Rolled-up jobs whose oldest sample is older than *before*, as many as fill one step."""
    rows = db.execute(
        """SELECT id, success + missed + system_error FROM latency_jobs AS job WHERE is_rolled_up = 1 AND
           (SELECT recorded_at FROM latency_samples WHERE job_id = job.id ORDER BY sequence_number) < ?""",
        [to_text(before)],
    ).fetchall()
    return next(filling(rows, PRUNED_AT_ONCE), [])


def filling(rows: Iterable[tuple[int, int]], limit: int) -> Iterator[list[int]]:
    """Ids in groups whose sizes add up to *limit* at most, if one alone does not exceed it."""
    group: list[int] = []
    total = 0
    for number, size in rows:
        if group and total + size > limit:
            yield group
            group, total = [], 0
        group.append(number)
        total += size
    if group:
        yield group


# load


def load(db: Database, batch: Round) -> State:
    """The jobs of one round with what their decisions rest on."""
    probed = [reading.job_id for reading in batch.readings]
    ids = json.dumps([*probed, *batch.finished])
    return State(
        jobs={job.id: job for job in _jobs(db, "id IN (SELECT value FROM json_each(?))", ids)},
        tails=dict(_tails(db, json.dumps(probed))),
        samples={job_id: samples(db, job_id) for job_id in batch.finished},
        recipients=_recipients(db, ids),
    )


def samples(db: Database, job_id: int) -> list[Sample]:
    """All samples of a job in their order."""
    rows = db.execute(
        """SELECT sequence_number, status, rtt_ms, jitter_ms, recorded_at
           FROM latency_samples WHERE job_id = ? ORDER BY sequence_number""",
        [job_id],
    )
    return [
        Sample(sequence_number=number, status=status, rtt_ms=rtt, jitter_ms=jitter, recorded_at=from_text(moment))
        for number, status, rtt, jitter, moment in rows
    ]


_JOB = """id, target, probe, monitoring_mode, status, cadence_seconds, duration_seconds, started_at,
    last_ping_at, alert_state, alert_offline, alert_recovery,
    success + missed + system_error AS sample_count"""


def _jobs(db: Database, where: str, *values: str) -> list[Job]:
    rows = db.execute(f"SELECT {_JOB} FROM latency_jobs WHERE {where} ORDER BY id", values)  # noqa: S608 - own text
    return [_job(row) for row in rows]


def _job(row: Sequence[Any]) -> Job:
    return Job(
        id=row[0],
        target=row[1],
        probe=row[2],
        monitoring_mode=row[3],
        status=row[4],
        cadence_seconds=row[5],
        duration_seconds=row[6],
        started_at=from_text(row[7]),
        last_ping_at=from_text(row[8]) if row[8] else None,
        alert_state=row[9],
        alert_offline=bool(row[10]),
        alert_recovery=bool(row[11]),
        sample_count=row[12],
    )


_TAILS = """
SELECT value,
    (SELECT max(sequence_number) + 1 FROM latency_samples WHERE job_id = value),
    (SELECT rtt_ms FROM latency_samples
        WHERE job_id = value AND status = 'success' ORDER BY sequence_number DESC),
    (SELECT json_group_array(status) FROM (
        SELECT * FROM (SELECT status, sequence_number FROM latency_samples
            WHERE job_id = value AND status = 'success' ORDER BY sequence_number DESC LIMIT 4)
        UNION ALL
        SELECT * FROM (SELECT status, sequence_number FROM latency_samples
            WHERE job_id = value AND status = 'missed' ORDER BY sequence_number DESC LIMIT 4)
        ORDER BY sequence_number DESC LIMIT 4))
FROM json_each(?)"""


def _tails(db: Database, ids: str) -> Iterator[tuple[int, Tail]]:
    for job_id, following, rtt, recent in db.execute(_TAILS, [ids]):
        yield job_id, Tail(next_sequence=following or 0, last_rtt_ms=rtt, recent=json.loads(recent))


def _recipients(db: Database, ids: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for job_id, number in db.execute(
        "SELECT job_id, id FROM latency_notify WHERE job_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        [ids],
    ):
        found.setdefault(job_id, []).append(number)
    return found


# apply


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, samples all at once, and queue the notifications."""
    _add_samples(db, [decision for decision in decisions if isinstance(decision, AddSample)], run)
    for decision in decisions:
        match decision:
            case ChangeAlertState():
                _change_alert_state(db, decision, run)
            case CompleteJob():
                _complete(db, decision, run)
            case RollUpJob():
                _write_numbers(db, decision.job_id, decision.summary, decision.rollups)
            case PruneSamples():
                _prune(db, decision)


def _add_samples(db: Database, added: Sequence[AddSample], run: Run) -> None:
    if not added:
        return
    rows = [
        (
            sample.job_id,
            sample.sequence_number,
            sample.status,
            sample.rtt_ms,
            sample.jitter_ms,
            to_text(sample.recorded_at),
            None if sample.status == "success" else sample.reason,
        )
        for sample in added
    ]
    db.conn.executemany("INSERT INTO latency_samples VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    for status in get_args(SampleStatus):  # a statement each: to sort the counts in SQL takes twice as long
        counted = [(row[5], row[0]) for row in rows if row[2] == status]
        db.conn.executemany(
            f"UPDATE latency_jobs SET last_ping_at = ?, {status} = {status} + 1 WHERE id = ?",  # noqa: S608 - our words
            counted,
        )
    run.count(samples=len(added))


def _change_alert_state(db: Database, change: ChangeAlertState, run: Run) -> None:
    state = "offline_alerted" if change.alert_type == "offline" else "ok"
    db.execute("UPDATE latency_jobs SET alert_state = ? WHERE id = ?", [state, change.job_id])
    if not change.is_announced:
        return
    at = to_text(change.triggered_at)
    db.execute(
        "INSERT INTO latency_alerts (job_id, alert_type, triggered_at) VALUES (?, ?, ?)",
        [change.job_id, change.alert_type, at],
    )
    told = {
        "job_id": change.job_id,
        "target": change.target,
        "alert_type": change.alert_type,
        "triggered_at": at,
    }
    _tell(run, "alert", f"alert:{change.job_id}:{change.alert_type}:{at}", told, change.recipients)


def _complete(db: Database, done: CompleteJob, run: Run) -> None:
    db.execute(
        "UPDATE latency_jobs SET status = 'completed', completed_at = ? WHERE id = ?",
        [to_text(done.completed_at), done.job_id],
    )
    _write_numbers(db, done.job_id, done.summary, done.rollups)
    told = {"job_id": done.job_id, "target": done.target, **msgspec.to_builtins(done.summary)}
    _tell(run, "completion", f"completion:{done.job_id}", told, done.recipients)


def _tell(run: Run, kind: str, key: str, told: dict[str, Any], recipients: Sequence[int]) -> None:
    """Queue one effect per recipient, or one that only records that there was nobody to tell."""
    for number in recipients:
        run.effect(kind, f"{key}:{number}", {**told, "recipient": number}, lane=f"recipient:{number}")
    if not recipients:
        run.effect(kind, key, {**told, "recipient": None})


def _write_numbers(db: Database, job_id: int, summary: Summary, rollups: Sequence[Rollup]) -> None:
    db.execute(
        """UPDATE latency_jobs SET is_rolled_up = 1, success = ?, missed = ?, system_error = ?,
           rtt_avg_ms = ?, rtt_min_ms = ?, rtt_max_ms = ?, rtt_p95_ms = ?, jitter_avg_ms = ?,
           loss_percent = ?, rtt_median_ms = ?, jitter_max_ms = ?,
           outages = ?, longest_streak = ?, verdict = ? WHERE id = ?""",
        [*msgspec.structs.astuple(summary.stats), *msgspec.structs.astuple(summary)[1:], job_id],
    )
    db.conn.executemany(
        "INSERT INTO latency_rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(job_id, to_text(rollup.bucket_start), *msgspec.structs.astuple(rollup.stats)) for rollup in rollups],
    )


def _prune(db: Database, pruned: PruneSamples) -> None:
    db.execute(
        """DELETE FROM latency_samples WHERE job_id = ?1 AND sequence_number IN (
           SELECT sequence_number FROM latency_samples WHERE job_id = ?1 AND recorded_at < ?2
           ORDER BY sequence_number LIMIT ?3)""",
        [pruned.job_id, to_text(pruned.before), PRUNED_AT_ONCE],
    )


# deliver


def address(db: Database, recipient: int | None) -> str | None:
    """The Apprise address of a recipient; None where there is none (any more)."""
    row = db.execute("SELECT url FROM latency_notify WHERE id = ?", [recipient]).fetchone()
    return row[0] if row else None
