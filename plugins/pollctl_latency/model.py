"""Settings and the frozen values that travel from fetch through decide to the database.

Some fields have another name in JSON: that of the recordings of earlier versions, which ``pollctl replay`` still reads.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from pollctl import Duration, HttpUrl, Secret

Probe = Literal["api", "http", "tcp", "icmp"]
Mode = Literal["real_polling", "simulated"]
JobStatus = Literal["running", "completed", "cancelled", "failed"]
SampleStatus = Literal["success", "missed", "system_error"]
AlertState = Literal["ok", "offline_alerted"]
AlertType = Literal["offline", "recovery", "blind", "seeing"]
Family = Literal[0, 4, 6]
Verdict = Literal["pass", "fail", "unreliable", "no_data"]


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.latency]``; sample.toml says what each key means."""

    base_url: HttpUrl | None = None
    label: Annotated[str, Meta(min_length=1)] = "Sound Check"
    timeout: Duration = Duration(seconds=10)
    deadline: Duration = Duration(seconds=58)
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 64
    max_running: Annotated[int, Meta(ge=1)] = 100
    keep_samples: Duration = Duration(days=30)

    def __post_init__(self) -> None:
        if not self.timeout:
            raise ValueError("timeout must be longer than 0s")
        if self.timeout >= self.deadline:
            raise ValueError(
                f"timeout is {self.timeout}, and a pass ends after its deadline of {self.deadline}: "
                "a silent target would never count as missed; write a shorter timeout"
            )


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


class Measurement(Struct, frozen=True, kw_only=True, gc=False):
    """What one probe measured.

    Attributes:
        started_at: when the probe started.
        rtt_ms: milliseconds, with ``success`` only.
        reason: what was wrong, without ``success``.
        address: which address of the target answered, where this machine asked it.
    """

    job_id: int
    status: SampleStatus
    started_at: datetime
    rtt_ms: float | None = None
    reason: str = field(default="", name="why")
    address: str = ""


class Round(Struct, frozen=True, kw_only=True):
    """One batch: the probes that completed in a round, and the jobs that are over.

    Attributes:
        measurements: at most one per job.
        finished: ids of jobs past their end, or closed early, that have no roll-ups yet.
        prunable: ids of rolled-up jobs that still hold samples older than ``keep_samples``.
    """

    measurements: list[Measurement] = field(default_factory=list, name="readings")
    finished: list[int] = []
    prunable: list[int] = []


class Sample(Struct, frozen=True, kw_only=True, gc=False):
    """One row of ``latency_samples``."""

    sequence_number: int
    status: SampleStatus
    rtt_ms: float | None
    jitter_ms: float | None
    recorded_at: datetime
    reason: str = ""


class Tail(Struct, frozen=True, kw_only=True):
    """The end of a job's samples: what the next one is judged by.

    Attributes:
        next_sequence: the number of the next sample.
        last_rtt_ms: of the latest success.
        recent: the latest outcomes that are not ``system_error``, newest first, at least one fewer than make an outage.
        system_errors: how many ``system_error`` stand at the very end, counted as far as matters.
    """

    next_sequence: int = 0
    last_rtt_ms: float | None = None
    recent: list[SampleStatus] = []
    system_errors: int = 0


class State(Struct, frozen=True, kw_only=True):
    """The rows that one round needs, by job id.

    Attributes:
        tails: of jobs with a measurement.
        samples: all samples of the finished jobs.
        recipients: ids in ``latency_notify``; the addresses themselves are secret and stay in the database.
    """

    jobs: dict[int, Job] = {}
    tails: dict[int, Tail] = {}
    samples: dict[int, list[Sample]] = {}
    recipients: dict[int, list[int]] = {}


class Stats(Struct, frozen=True, kw_only=True, gc=False):
    """Counts by status, and milliseconds; None where there is nothing to compute them from."""

    success: int
    missed: int
    system_error: int
    rtt_avg_ms: float | None
    rtt_min_ms: float | None
    rtt_max_ms: float | None
    rtt_p95_ms: float | None
    jitter_avg_ms: float | None


class Summary(Struct, frozen=True, kw_only=True):
    """How a connection did over the whole job.

    Attributes:
        longest_streak: misses in a row, outage or not.
        cause: why most of the samples that could not be taken could not; empty where all could.
    """

    stats: Stats
    loss_percent: float | None
    rtt_median_ms: float | None
    jitter_max_ms: float | None
    outages: int
    longest_streak: int
    verdict: Verdict
    cause: str = ""


class Rollup(Struct, frozen=True, kw_only=True, gc=False):
    """Five minutes of a job."""

    bucket_start: datetime
    stats: Stats


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


Decision = AddSample | ChangeAlertState | CompleteJob | RollUpJob | PruneSamples
