"""Jobs: what is asked for, and what the rules look at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from pollctl import Secret

Probe = Literal["api", "http", "tcp", "icmp"]
Mode = Literal["real_polling", "simulated"]
JobStatus = Literal["running", "completed", "cancelled", "failed"]
SampleStatus = Literal["success", "missed", "system_error"]
AlertState = Literal["ok", "offline_alerted"]
AlertType = Literal["offline", "recovery", "blind", "seeing"]
Family = Literal[0, 4, 6]
Verdict = Literal["pass", "fail", "unreliable", "no_data"]


class Limits(Struct, frozen=True, kw_only=True):
    """What a job's connection may do and still pass; a number that equals its limit passes.

    Attributes:
        max_loss_percent: of the probes that were made.
        outage_length: consecutive misses that make an outage, and an alert; as many successes make a recovery, and as many
            samples that could not be taken make a job blind.
    """

    max_loss_percent: float = 2
    max_p95_ms: float = 100
    max_jitter_ms: float = 30
    outage_length: int = 5


class NewJob(Struct, frozen=True, kw_only=True):
    """What ``add`` is given; ``target`` shows ``***`` in the place of ``login``, and None leaves a column to its default.

    Attributes:
        alert_blind: None for: where there is somebody to tell.
        expect: statuses of an ``http`` target that are a success, such as ``200-399``.
    """

    target: str
    login: Secret
    probe: Probe
    monitoring_mode: Mode
    cadence_seconds: int
    duration_seconds: int
    alert_offline: bool = False
    alert_recovery: bool = False
    alert_blind: bool | None = None
    max_loss_percent: float | None = None
    max_p95_ms: float | None = None
    max_jitter_ms: float | None = None
    outage_length: int | None = None
    family: Family | None = None
    expect: str | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One row of ``latency_jobs``, as far as the rules look at it; the login of its target is none of their business."""

    id: int
    target: str
    probe: Probe
    monitoring_mode: Mode
    status: JobStatus
    cadence_seconds: int
    duration_seconds: int
    started_at: datetime
    last_ping_at: datetime | None
    alert_state: AlertState
    alert_offline: bool
    alert_recovery: bool
    sample_count: int
    alert_blind: bool = False
    is_blind: bool = False
    limits: Limits = Limits()
    family: Family = 0
    expect: str = ""

    @property
    def due_at(self) -> datetime:
        """When the next probe may start."""
        if self.last_ping_at is None:
            return self.started_at
        return self.last_ping_at + timedelta(seconds=self.cadence_seconds)

    @property
    def ends_at(self) -> datetime:
        """The last moment at which the job is still sampled."""
        return self.started_at + timedelta(seconds=self.duration_seconds)
