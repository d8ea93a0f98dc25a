"""What an alert is about: when it began, with what, and how many samples it lasted; read from the end of the samples."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl import from_text
from pollctl_latency.client.targets import split_login
from pollctl_latency.deliver.texts import Streak, Told
from pollctl_latency.model import Limits

if TYPE_CHECKING:
    from sqlite_utils import Database

# By sequence number, not by moment: the clock may have been set back in between.
_STREAK = """SELECT recorded_at, reason, count(*) OVER () FROM latency_samples
    WHERE job_id = :job AND status = :status AND sequence_number > max(
        coalesce((SELECT max(sequence_number) FROM latency_samples WHERE job_id = :job AND status = :ender), -1),
        coalesce((SELECT max(sequence_number) FROM latency_samples WHERE job_id = :job AND status = :other_ender), -1))
    ORDER BY sequence_number LIMIT 1"""
_OUTAGE = {"status": "missed", "ender": "success", "other_ender": "success"}
_BLINDNESS = {"status": "system_error", "ender": "success", "other_ender": "missed"}
_FIRST_ANSWER = """SELECT recorded_at FROM latency_samples WHERE job_id = ? AND status = 'success' AND sequence_number > coalesce(
    (SELECT max(sequence_number) FROM latency_samples WHERE job_id = ? AND status = 'missed'), -1)
    ORDER BY sequence_number LIMIT 1"""


def outage(db: Database, job_id: int) -> Streak | None:
    """The misses at the end of a job's samples, ``system_error`` left out; None where there are none."""
    return _streak(db, job_id, _OUTAGE)


def blindness(db: Database, job_id: int) -> Streak | None:
    """The samples at the end that could not be taken; None where there are none."""
    return _streak(db, job_id, _BLINDNESS)


def first_answer(db: Database, job_id: int) -> datetime | None:
    """The first success after the latest miss."""
    row = db.execute(_FIRST_ANSWER, [job_id, job_id]).fetchone()
    return from_text(row[0]) if row else None


def told_job(db: Database, job_id: int) -> Told:
    """A job as messages name it; a login that another program may have put into its target is left out."""
    target, probe, cadence, started_at, offline_since, offline_reason, blind_since, *limits = db.execute(
        """SELECT target, probe, cadence_seconds, started_at, offline_since, offline_reason, blind_since,
           max_loss_percent, max_p95_ms, max_jitter_ms, outage_length FROM latency_jobs WHERE id = ?""",
        [job_id],
    ).fetchone()
    return Told(
        job_id,
        split_login(target)[0],
        probe,
        timedelta(seconds=cadence),
        from_text(started_at),
        from_text(offline_since) if offline_since else None,
        offline_reason or "",
        from_text(blind_since) if blind_since else None,
        Limits(**dict(zip(Limits.__struct_fields__, limits, strict=True))),
    )


def _streak(db: Database, job_id: int, kind: dict[str, str]) -> Streak | None:
    row = db.execute(_STREAK, {"job": job_id, **kind}).fetchone()
    return Streak(from_text(row[0]), row[2], (row[1] or "no answer").rstrip(".")) if row else None
