"""One batch: what the probes of a round measured.

Some fields have another name in JSON: that of the recordings of earlier versions, which ``pollctl replay`` still reads.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from pollctl_latency.model.jobs import SampleStatus
from pollctl_latency.model.remote import RemoteRead


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
        remote: what a read of the jobs kept elsewhere said.
    """

    measurements: list[Measurement] = field(default_factory=list, name="readings")
    finished: list[int] = []
    prunable: list[int] = []
    remote: RemoteRead | None = None
