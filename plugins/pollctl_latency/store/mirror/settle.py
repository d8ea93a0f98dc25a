"""What was taken there: the cursor moves on, and what comes next is queued, in the transaction of the effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pollctl import Effect, Run, counted, from_text, to_text
from pollctl_latency.model import job_of_lane
from pollctl_latency.store.mirror.apply import drop_rest, queue, tell_held

if TYPE_CHECKING:
    from sqlite_utils import Database


def settle(db: Database, effect: Effect, result: Any, run: Run) -> None:
    """Record the result of one delivery."""
    match effect.kind:
        case "mirror":
            _samples_sent(db, job_of_lane(effect.lane), result, run)
        case "mirror_end":
            _end_sent(db, job_of_lane(effect.lane), result, run)
        case "mirror_claim":
            _claimed(db, effect, result)
        case "mirror_ping":
            told = [(moment, job_id) for moment, job_ids in result for job_id in job_ids]
            db.conn.executemany("UPDATE latency_mirror SET pinged_at = ? WHERE job_id = ?", told)
            db.execute("UPDATE latency_mirror_state SET is_pinging = 0")


def _samples_sent(db: Database, job_id: int, result: Mapping[str, Any], run: Run) -> None:
    db.execute("UPDATE latency_mirror SET is_sending = 0 WHERE job_id = ?", [job_id])
    if result["is_gone"]:
        db.execute("UPDATE latency_jobs SET status = 'cancelled' WHERE id = ? AND status = 'running'", [job_id])
        drop_rest(db, job_id, run)
        return
    sent, held = result["sent"], result["held"]
    db.conn.executemany(
        "DELETE FROM latency_mirror_held WHERE job_id = ? AND sequence_number = ? AND is_released = 1",
        [(job_id, number) for number in sent],
    )
    db.conn.executemany(
        "INSERT OR REPLACE INTO latency_mirror_held VALUES (?, ?, ?, ?, 0)",
        [(job_id, number, why, to_text(run.now)) for number, why in held],
    )
    through = max([*sent, *(number for number, _ in held)], default=-1)
    db.execute("UPDATE latency_mirror SET sent_through = max(sent_through, ?) WHERE job_id = ?", [through, job_id])
    run.count(samples_sent=len(sent))
    if held:
        tell_held(run, job_id, len(held), held[0][1])
    if result["swallowed"]:
        _tell_swallowed(job_id, result["swallowed"], len(sent), run)
    queue(db, run, {job_id})


def _tell_swallowed(job_id: int, swallowed: int, sent: int, run: Run) -> None:
    title = f"{swallowed} of {counted(sent, 'sample')} of job {job_id} had numbers that were taken on the other side"
    body = f"Does another pollctl sample the same job? They are kept here.\nlatency on {run.host}"
    run.tell(f"mirror_swallowed:{job_id}:{run.id}", title, body, level="warning")


def _end_sent(db: Database, job_id: int, result: Mapping[str, Any], run: Run) -> None:
    """The remote status wins: a job that was cancelled there meanwhile is cancelled here too."""
    status = result["status"]
    db.execute("UPDATE latency_mirror SET state = 'closed', is_sending = 0 WHERE job_id = ?", [job_id])
    if status is None:
        drop_rest(db, job_id, run)
    elif status in ("completed", "cancelled", "failed"):
        db.execute("UPDATE latency_jobs SET status = ? WHERE id = ?", [status, job_id])


def _claimed(db: Database, effect: Effect, result: Any) -> None:
    """Keep what was claimed here from now on, in the place of an earlier job that was kept under the same id."""
    ids = [(remote_id,) for remote_id in effect.payload["ids"]]
    db.conn.executemany("DELETE FROM latency_mirror_claims WHERE remote_id = ?", ids)
    for job in result:
        db.execute("DELETE FROM latency_mirror WHERE remote_id = ?", [job["id"]])
        last_ping_at = to_text(from_text(job["last_ping_at"])) if job["last_ping_at"] else None
        row = db.execute(
            """INSERT INTO latency_jobs (target, probe, monitoring_mode, cadence_seconds, duration_seconds, started_at,
               last_ping_at) VALUES (?, ?, 'real_polling', ?, ?, ?, ?)""",
            [
                job["target"],
                job["probe"],
                job["cadence_seconds"],
                job["duration_seconds"],
                to_text(from_text(job["started_at"])),
                last_ping_at,
            ],
        )
        db.execute(
            """INSERT INTO latency_mirror (job_id, remote_id, first_number, sent_through, pinged_at)
               VALUES (?, ?, ?, ?, ?)""",
            [row.lastrowid, job["id"], job["next_number"], job["next_number"] - 1, last_ping_at],
        )
