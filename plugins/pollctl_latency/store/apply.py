"""Writing what was decided: samples, alerts, verdicts and roll-ups, and the notifications that they queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import msgspec

from pollctl import to_text
from pollctl_latency.deliver.texts import Streak, blind_text, completion_text, offline_text, recovery_text, seeing_text
from pollctl_latency.model import (
    AddSample,
    AlertType,
    ChangeAlertState,
    ClaimJobs,
    CloseMirrored,
    CompleteJob,
    Decision,
    EditJob,
    NoteMirror,
    PruneSamples,
    Rollup,
    RollUpJob,
    SampleStatus,
    Summary,
    Verdict,
)
from pollctl_latency.store.mirror import apply as mirror
from pollctl_latency.store.outages import blindness, first_answer, outage, told_job
from pollctl_latency.store.pruning import prune
from pollctl_latency.store.recipients import addresses_of

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Level, Run

_LEVELS: Mapping[Verdict, Level] = {"pass": "success", "fail": "failure", "unreliable": "warning", "no_data": "warning"}
_ALERT_LEVELS: Mapping[AlertType, Level] = {
    "offline": "failure",
    "recovery": "success",
    "blind": "warning",
    "seeing": "success",
}


def apply(db: Database, decisions: Sequence[Decision], run: Run) -> None:
    """Write what was decided, samples all at once, and queue the notifications."""
    samples = [decision for decision in decisions if isinstance(decision, AddSample)]
    _add_samples(db, samples, run)
    for decision in decisions:
        match decision:
            case ChangeAlertState():
                _change_alert_state(db, decision, run)
            case CompleteJob():
                _complete(db, decision, run)
            case RollUpJob():
                _write_numbers(db, decision.job_id, decision.summary, decision.rollups)
            case PruneSamples():
                prune(db, decision)
            case ClaimJobs() | EditJob() | CloseMirrored() | NoteMirror():
                mirror.apply(db, decision, run)
    mirror.queue(
        db,
        run,
        {decision.job_id for decision in decisions if isinstance(decision, AddSample | CompleteJob | RollUpJob)},
    )


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
            sample.address or None,
        )
        for sample in added
    ]
    rows.sort()  # answers come in any order; in that of the key each page of the table is written once
    db.conn.executemany("INSERT INTO latency_samples VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    for status in get_args(SampleStatus):  # a statement each: to sort the counts in SQL takes twice as long
        counted = [(row[5], row[0]) for row in rows if row[2] == status]
        db.conn.executemany(
            f"UPDATE latency_jobs SET last_ping_at = ?, {status} = {status} + 1 WHERE id = ?",  # noqa: S608 - our words
            counted,
        )
    run.count(samples=len(added))


def _change_alert_state(db: Database, change: ChangeAlertState, run: Run) -> None:
    """Note the new state, whether or not anybody is told; the words are made of what held before it."""
    title, body = _alert_text(db, change, run)
    _keep_state(db, change)
    if not change.is_announced:
        return
    at = to_text(change.triggered_at)
    db.execute(
        "INSERT INTO latency_alerts (job_id, alert_type, triggered_at) VALUES (?, ?, ?)",
        [change.job_id, change.alert_type, at],
    )
    run.tell(
        f"alert:{change.job_id}:{change.alert_type}:{at}",
        title,
        body,
        to=addresses_of(db, change.recipients),
        level=_ALERT_LEVELS[change.alert_type],
    )


def _alert_text(db: Database, change: ChangeAlertState, run: Run) -> tuple[str, str]:
    job, unknown = told_job(db, change.job_id), Streak(change.triggered_at, 1, "no answer")
    match change.alert_type:
        case "offline":
            return offline_text(job, outage(db, job.id) or unknown, run)
        case "recovery":
            return recovery_text(job, first_answer(db, job.id) or change.triggered_at, run)
        case "blind":
            return blind_text(job, blindness(db, job.id) or unknown, run)
        case "seeing":
            return seeing_text(job, run)


def _keep_state(db: Database, change: ChangeAlertState) -> None:
    match change.alert_type:
        case "offline":
            began = outage(db, change.job_id)
            since = [to_text(began.since), began.reason] if began else [None, None]
            values = ["offline_alerted", *since, change.job_id]
            db.execute("UPDATE latency_jobs SET alert_state=?, offline_since=?, offline_reason=? WHERE id=?", values)
        case "recovery":
            db.execute(
                "UPDATE latency_jobs SET alert_state='ok', offline_since=NULL, offline_reason=NULL WHERE id=?",
                [change.job_id],
            )
        case "blind":
            began = blindness(db, change.job_id)
            since_text = to_text(began.since) if began else None
            db.execute("UPDATE latency_jobs SET is_blind=1, blind_since=? WHERE id=?", [since_text, change.job_id])
        case "seeing":
            db.execute("UPDATE latency_jobs SET is_blind=0, blind_since=NULL WHERE id=?", [change.job_id])


def _complete(db: Database, completed: CompleteJob, run: Run) -> None:
    db.execute(
        "UPDATE latency_jobs SET status = 'completed', completed_at = ? WHERE id = ?",
        [to_text(completed.completed_at), completed.job_id],
    )
    _write_numbers(db, completed.job_id, completed.summary, completed.rollups)
    title, body = completion_text(told_job(db, completed.job_id), completed.summary, completed.completed_at, run)
    to = addresses_of(db, completed.recipients)
    run.tell(f"completion:{completed.job_id}", title, body, to=to, level=_LEVELS[completed.summary.verdict])


def _write_numbers(db: Database, job_id: int, summary: Summary, rollups: Sequence[Rollup]) -> None:
    db.execute(
        """UPDATE latency_jobs SET is_rolled_up = 1, success = ?, missed = ?, system_error = ?,
           rtt_avg_ms = ?, rtt_min_ms = ?, rtt_max_ms = ?, rtt_p95_ms = ?, jitter_avg_ms = ?,
           loss_percent = ?, rtt_median_ms = ?, jitter_max_ms = ?,
           outages = ?, longest_streak = ?, verdict = ?, cause = nullif(?, '') WHERE id = ?""",
        [*msgspec.structs.astuple(summary.stats), *msgspec.structs.astuple(summary)[1:], job_id],
    )
    db.conn.executemany(
        "INSERT INTO latency_rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(job_id, to_text(rollup.bucket_start), *msgspec.structs.astuple(rollup.stats)) for rollup in rollups],
    )
