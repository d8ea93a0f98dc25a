"""What is to be sent to the side where jobs are kept: samples, ends, latest probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sqlite_utils import Database

TOLD_AT_ONCE = 100
"""Ids in one address."""
SENT_AT_ONCE = 1000
"""Samples of one POST at most."""
_NEXT = """SELECT mirror.remote_id AS job_id, sequence_number, status, rtt_ms, jitter_ms, reason AS error, recorded_at
    FROM latency_mirror AS mirror JOIN latency_samples AS sample USING (job_id)
    WHERE mirror.job_id = ? AND (sequence_number > mirror.sent_through OR sequence_number IN
        (SELECT sequence_number FROM latency_mirror_held AS held WHERE held.job_id = mirror.job_id AND is_released = 1))
    ORDER BY sequence_number LIMIT ?"""


class Unsent(NamedTuple):
    """Samples of a job that are to be sent, as rows of the other side.

    Attributes:
        remote_id: of their job.
        is_wanted: whether the other side still has that job.
    """

    remote_id: str
    is_wanted: bool
    rows: list[dict[str, Any]]


def unsent(db: Database, job_id: int) -> Unsent:
    """The next samples of a job that are to be sent, those that were released among them."""
    remote_id, state = db.execute("SELECT remote_id, state FROM latency_mirror WHERE job_id = ?", [job_id]).fetchone()
    return Unsent(remote_id, state != "gone", list(db.query(_NEXT, [job_id, SENT_AT_ONCE])))


def summary_of(db: Database, job_id: int) -> tuple[str, dict[str, Any]]:
    """The id there of a job that is over, and the row that says how it did."""
    (row,) = db.query(
        """SELECT remote_id, status, coalesce(completed_at, last_ping_at, started_at) AS completed_at, success, missed,
           system_error, loss_percent, rtt_avg_ms, rtt_min_ms, rtt_max_ms, rtt_median_ms, rtt_p95_ms, jitter_avg_ms,
           jitter_max_ms, outages, longest_streak, verdict, cause
           FROM latency_jobs JOIN latency_mirror ON job_id = id WHERE id = ?""",
        [job_id],
    )
    remote_id, status, completed_at = (row.pop(name) for name in ("remote_id", "status", "completed_at"))
    return remote_id, {"status": status, "completed_at": completed_at, "summary": row}


def latest_probes(db: Database) -> list[tuple[str, list[tuple[int, str]]]]:
    """Moments of latest probes that were not told yet, each with the ids here and there of its jobs, as many as fit an address."""
    rows = db.execute(
        """SELECT last_ping_at, job_id, remote_id FROM latency_mirror JOIN latency_jobs ON id = job_id
           WHERE state = 'active' AND last_ping_at > coalesce(pinged_at, '') ORDER BY last_ping_at, job_id"""
    )
    groups: list[tuple[str, list[tuple[int, str]]]] = []
    for moment, job_id, remote_id in rows:
        if not groups or groups[-1][0] != moment or len(groups[-1][1]) == TOLD_AT_ONCE:
            groups.append((moment, []))
        groups[-1][1].append((job_id, remote_id))
    return groups
