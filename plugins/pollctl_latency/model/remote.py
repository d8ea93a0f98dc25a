"""Jobs kept elsewhere: what a read of them says, and what is known of them here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pollctl_latency.model.jobs import JobStatus, Mode, Probe

MirrorState = Literal["active", "closing", "closed", "gone"]
"""``closing``: it has ended there, and what was sampled until then is still sent."""


class RemoteJob(Struct, frozen=True, kw_only=True):
    """One row of the table ``jobs`` there."""

    id: str
    target: str
    probe: Probe
    monitoring_mode: Mode
    status: JobStatus
    cadence_seconds: int
    duration_seconds: int
    started_at: datetime
    last_ping_at: datetime | None = None
    claimed_at: datetime | None = None
    poller: str | None = None


class RemoteRead(Struct, frozen=True, kw_only=True):
    """What one read of the jobs kept elsewhere said.

    Attributes:
        jobs: running ones that are new here, or not as they are known here.
        ended: known ones that are not in the list any more, as they were then found by their ids.
        gone: ids of known ones that were not found at all.
        others: how many are claimed by others.
        error: why it could not be read; then the rest is empty.
        needs_somebody: whether that is nothing which passes by itself.
    """

    jobs: list[RemoteJob] = []
    ended: list[RemoteJob] = []
    gone: list[str] = []
    others: int = 0
    error: str = ""
    needs_somebody: bool = False


class Mirrored(Struct, frozen=True, kw_only=True):
    """A job kept elsewhere as it is known here.

    Attributes:
        is_drained: whether it has ended on both sides, and all its samples have been sent: none is held either.
    """

    job_id: int
    target: str
    probe: Probe
    cadence_seconds: int
    duration_seconds: int
    status: JobStatus
    state: MirrorState
    is_drained: bool


class ClaimJobs(Struct, frozen=True, kw_only=True, tag=True):
    """Claim jobs there, as far as nobody else has them by then; what is claimed is then sampled here.

    Attributes:
        remote_ids: free ones, or ours already.
        from_poller: who had them and has fallen silent; None where nobody had.
        silent_since: they are taken over only where nothing happened since.
    """

    remote_ids: list[str]
    reason: str
    from_poller: str | None = None
    silent_since: datetime | None = None


class EditJob(Struct, frozen=True, kw_only=True, tag=True):
    """Sample a job as it is wanted now."""

    job_id: int
    cadence_seconds: int
    duration_seconds: int
    reason: str


class CloseMirrored(Struct, frozen=True, kw_only=True, tag=True):
    """A job has ended there: no more samples, and what there is goes out unless the job is ``gone``."""

    job_id: int
    status: JobStatus
    is_gone: bool
    reason: str


class NoteMirror(Struct, frozen=True, kw_only=True, tag=True):
    """How the read went, for `status`; ``is_news`` tells people."""

    others: int
    error: str
    is_news: bool
    reason: str


def lane_of(job_id: int) -> str:
    """The lane in which all effects of a job that is kept elsewhere go, one after the other."""
    return f"mirror:{job_id}"


def job_of_lane(lane: str) -> int:
    """The job whose lane it is."""
    return int(lane.partition(":")[2])
