"""What is known of jobs kept elsewhere, and what of their samples is to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_latency.model import Mirrored

if TYPE_CHECKING:
    from sqlite_utils import Database

HAS_UNSENT = """(EXISTS (SELECT 1 FROM latency_samples WHERE job_id = mirror.job_id AND sequence_number > mirror.sent_through)
    OR EXISTS (SELECT 1 FROM latency_mirror_held AS held WHERE held.job_id = mirror.job_id AND is_released = 1))"""
_IS_HELD = "EXISTS (SELECT 1 FROM latency_mirror_held AS held WHERE held.job_id = mirror.job_id)"


def mirrored_jobs(db: Database) -> dict[str, Mirrored]:
    """All jobs that are kept elsewhere, by their ids there."""
    rows = db.execute(
        f"""SELECT remote_id, job_id, target, probe, cadence_seconds, duration_seconds, status, state, {HAS_UNSENT} OR {_IS_HELD}
            FROM latency_mirror AS mirror JOIN latency_jobs ON id = job_id"""  # noqa: S608 - own text
    )
    return {
        row[0]: Mirrored(
            job_id=row[1],
            target=row[2],
            probe=row[3],
            cadence_seconds=row[4],
            duration_seconds=row[5],
            status=row[6],
            state=row[7],
            is_drained=not row[8] and row[7] in ("closed", "gone"),
        )
        for row in rows
    }


def claiming(db: Database) -> list[str]:
    """Ids there of jobs whose claim is under way."""
    return [remote_id for (remote_id,) in db.execute("SELECT remote_id FROM latency_mirror_claims")]


def mirror_error(db: Database) -> str:
    """Why they could not be read the last time; empty where they could."""
    return str(db.execute("SELECT error FROM latency_mirror_state").fetchone()[0])
