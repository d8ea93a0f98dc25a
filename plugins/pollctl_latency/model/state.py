"""What the decisions of one round rest on, and the numbers that come of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pollctl_latency.model.jobs import Job, SampleStatus, Verdict
from pollctl_latency.model.remote import Mirrored


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
        mirrored: jobs kept elsewhere, by their ids there.
        claiming: ids there of jobs whose claim is under way.
        mirror_error: why they could not be read the last time.
    """

    jobs: dict[int, Job] = {}
    tails: dict[int, Tail] = {}
    samples: dict[int, list[Sample]] = {}
    recipients: dict[int, list[int]] = {}
    mirrored: dict[str, Mirrored] = {}
    claiming: list[str] = []
    mirror_error: str = ""


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
