"""What a round changes."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pollctl_latency.model.jobs import AlertType, SampleStatus
from pollctl_latency.model.remote import ClaimJobs, CloseMirrored, EditJob, NoteMirror
from pollctl_latency.model.state import Rollup, Summary


class AddSample(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Keep a sample; its job was probed at ``recorded_at``."""

    job_id: int
    sequence_number: int
    status: SampleStatus
    rtt_ms: float | None
    jitter_ms: float | None
    recorded_at: datetime
    reason: str
    address: str = ""


class ChangeAlertState(Struct, frozen=True, kw_only=True, tag=True):
    """A connection went offline or recovered, or can no longer be measured, or can be again.

    ``is_announced`` says whether the job asks for that alert.
    """

    job_id: int
    target: str
    alert_type: AlertType
    triggered_at: datetime
    is_announced: bool
    recipients: list[int]
    reason: str


class CompleteJob(Struct, frozen=True, kw_only=True, tag=True):
    """A job is past its end: its verdict, its roll-ups, and who is to be notified."""

    job_id: int
    target: str
    completed_at: datetime
    summary: Summary
    rollups: list[Rollup]
    recipients: list[int]
    reason: str


class RollUpJob(Struct, frozen=True, kw_only=True, tag=True):
    """A job was closed early: it keeps its status and gets its numbers; nobody is notified."""

    job_id: int
    summary: Summary
    rollups: list[Rollup]
    reason: str


class PruneSamples(Struct, frozen=True, kw_only=True, tag=True):
    """Delete raw samples that are rolled up."""

    job_id: int
    before: datetime
    reason: str


Decision = (
    AddSample
    | ChangeAlertState
    | CompleteJob
    | RollUpJob
    | PruneSamples
    | ClaimJobs
    | EditJob
    | CloseMirrored
    | NoteMirror
)
