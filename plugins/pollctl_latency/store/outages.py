"""The outage that an alert is about, read from the samples."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl import from_text, to_text
from pollctl_latency.client.targets import split_login
from pollctl_latency.deliver import Outage, Told

if TYPE_CHECKING:
    from sqlite_utils import Database

# From the first miss after the last answer before *at*; to the first answer of those that ended it.
_LAST_ALERT = """SELECT max(triggered_at) FROM latency_alerts
    WHERE job_id = :job AND alert_type = 'offline' AND triggered_at < :at"""
# Backwards from the end: what is sought stands near it, and a job may have many thousand samples.
_LAST_MISS = """SELECT sequence_number, recorded_at, error FROM latency_samples
    WHERE job_id = :job AND status = 'missed' AND recorded_at <= :at ORDER BY sequence_number DESC LIMIT 1"""
_ANSWER_BEFORE = """SELECT sequence_number FROM latency_samples
    WHERE job_id = :job AND status = 'success' AND recorded_at < :before ORDER BY sequence_number DESC LIMIT 1"""
_MISSES = """SELECT min(recorded_at), count(*) FROM latency_samples
    WHERE job_id = :job AND status = 'missed' AND sequence_number > :answer AND sequence_number <= :last"""


def outage(db: Database, job_id: int, at: datetime, *, is_over: bool) -> Outage | None:
    """The outage that a job was in at a moment, or that ended then; None where its samples are gone."""
    values = {"job": job_id, "at": to_text(at)}
    miss = db.execute(_LAST_MISS, values).fetchone()
    if miss is None:
        return None
    last, moment, why = miss
    (alert,) = db.execute(_LAST_ALERT, values).fetchone() if is_over else (None,)
    (answer,) = db.execute(_ANSWER_BEFORE, {**values, "before": alert or moment}).fetchone() or (-1,)
    since, misses = db.execute(_MISSES, {**values, "answer": answer, "last": last}).fetchone()
    (until,) = db.execute(
        "SELECT min(recorded_at) FROM latency_samples WHERE job_id = ? AND status = 'success' AND sequence_number > ?",
        [job_id, last],
    ).fetchone()
    return Outage(from_text(since), misses, (why or "no answer").rstrip("."), from_text(until) if until else None)


def told_job(db: Database, job_id: int) -> Told:
    """A job as messages name it; a login that another program may have put into its target is left out."""
    target, probe, cadence, started_at = db.execute(
        "SELECT target, probe, cadence_seconds, started_at FROM latency_jobs WHERE id = ?", [job_id]
    ).fetchone()
    return Told(job_id, split_login(target)[0], probe, timedelta(seconds=cadence), from_text(started_at))
