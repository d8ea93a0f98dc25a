"""Writing what a read of the jobs kept elsewhere changes, and queueing what is to be sent (S5 and S6)."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from pollctl import Run, counted, to_text
from pollctl_latency.model import ClaimJobs, CloseMirrored, EditJob, NoteMirror, lane_of
from pollctl_latency.store.mirror.load import HAS_UNSENT

if TYPE_CHECKING:
    from sqlite_utils import Database


def apply(db: Database, decision: ClaimJobs | EditJob | CloseMirrored | NoteMirror, run: Run) -> None:
    """Write one decision."""
    match decision:
        case ClaimJobs():
            _claim(db, decision, run)
        case EditJob():
            db.execute(
                "UPDATE latency_jobs SET cadence_seconds = ?, duration_seconds = ? WHERE id = ?",
                [decision.cadence_seconds, decision.duration_seconds, decision.job_id],
            )
        case CloseMirrored():
            close(db, decision, run)
        case NoteMirror():
            _note(db, decision, run)


def _claim(db: Database, claim: ClaimJobs, run: Run) -> None:
    db.conn.executemany("INSERT INTO latency_mirror_claims VALUES (?)", [(one,) for one in claim.remote_ids])
    payload = {
        "ids": claim.remote_ids,
        "from": claim.from_poller,
        "silent_since": to_text(claim.silent_since) if claim.silent_since else None,
    }
    run.effect("mirror_claim", f"mirror_claim:{run.id}:{claim.remote_ids[0]}", payload)


def close(db: Database, closed: CloseMirrored, run: Run) -> None:
    """End a job here because it has ended there; where it is gone, what was not sent is dropped and counted."""
    status = "UPDATE latency_jobs SET status = ? WHERE id = ? AND status = 'running'"
    db.execute(status, [closed.status, closed.job_id])
    if closed.is_gone:
        drop_rest(db, closed.job_id, run)
        return
    db.execute("UPDATE latency_mirror SET state = 'closing' WHERE job_id = ?", [closed.job_id])
    queue(db, run, {closed.job_id})


def drop_rest(db: Database, job_id: int, run: Run) -> None:
    """Give up what was not sent of a job that is not there any more."""
    (dropped,) = db.execute(
        """SELECT (SELECT count(*) FROM latency_samples WHERE job_id = ?1 AND sequence_number >
           (SELECT sent_through FROM latency_mirror WHERE job_id = ?1))
           + (SELECT count(*) FROM latency_mirror_held WHERE job_id = ?1)""",
        [job_id],
    ).fetchone()
    db.execute("DELETE FROM latency_mirror_held WHERE job_id = ?", [job_id])
    db.execute(
        "UPDATE latency_mirror SET state = 'gone', is_sending = 0, dropped = dropped + ? WHERE job_id = ?",
        [dropped, job_id],
    )
    if dropped:
        run.count(samples_dropped=dropped)


def _note(db: Database, note: NoteMirror, run: Run) -> None:
    db.execute("UPDATE latency_mirror_state SET others = ?, error = ?", [note.others, note.error])
    if note.is_news:
        body = f"Jobs that are known are sampled on; new ones are not seen, and ends are not.\nlatency on {run.host}"
        run.tell(f"mirror:{run.id}", f"Jobs kept elsewhere cannot be read: {note.error}", body, level="failure")
    if note.error:
        return
    queue_pings(db, run)
    released = db.execute("SELECT DISTINCT job_id FROM latency_mirror_held WHERE is_released = 1").fetchall()
    queue(db, run, {job_id for (job_id,) in released})


def queue_pings(db: Database, run: Run) -> None:
    """Have the moments of the latest probes told there, once a pass."""
    due = db.execute(
        """SELECT 1 FROM latency_mirror JOIN latency_jobs ON id = job_id WHERE state = 'active'
           AND last_ping_at > coalesce(pinged_at, '') LIMIT 1"""
    ).fetchone()
    if due and db.execute("UPDATE latency_mirror_state SET is_pinging = 1 WHERE is_pinging = 0").rowcount:
        run.effect("mirror_ping", f"mirror_ping:{run.id}", None)


def queue(db: Database, run: Run, job_ids: Collection[int]) -> None:
    """Queue what comes next of jobs: their samples, one effect a job at a time, and after the last of them their end."""
    rows = db.execute(
        f"""SELECT job_id, state, sends, {HAS_UNSENT}, is_rolled_up
            FROM latency_mirror AS mirror JOIN latency_jobs ON id = job_id
            WHERE job_id IN (SELECT value FROM json_each(?)) AND is_sending = 0 AND state IN ('active', 'closing')""",  # noqa: S608 - own text
        [json.dumps(sorted(job_ids))],
    ).fetchall()
    for job_id, state, sends, has_unsent, is_over in rows:
        if has_unsent:
            run.effect("mirror", f"mirror:{job_id}:{sends}", None, lane=lane_of(job_id))
        elif state == "active" and is_over:
            run.effect("mirror_end", f"mirror_end:{job_id}", None, lane=lane_of(job_id))
        elif state == "closing" and is_over:
            db.execute("UPDATE latency_mirror SET state = 'closed' WHERE job_id = ?", [job_id])
            continue
        else:
            continue
        db.execute("UPDATE latency_mirror SET is_sending = 1, sends = sends + 1 WHERE job_id = ?", [job_id])


def tell_held(run: Run, job_id: int, held: int, why: str) -> None:
    """Tell people that rows of a job are not taken there."""
    title = f"{counted(held, 'sample')} of job {job_id} will not be taken by the other side ({why})"
    advice = "`pollctl latency mirror held` lists them, `release` sends them again."
    run.tell(
        f"mirror_held:{job_id}:{run.id}", title, f"The others go on. {advice}\nlatency on {run.host}", level="warning"
    )
