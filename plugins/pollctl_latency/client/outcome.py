"""How one probe ended, whatever its kind, and the measurement that comes of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pollctl import FetchError, shorten
from pollctl_latency.model import Job, Measurement, SampleStatus

_CUT_SHORT = ("deadline", "stopped")
"""The pass ended first: that says nothing about anyone, and the next pass probes at once."""
_TARGET_ERRORS = ("timeout", "refused", "unreachable", "dns", "reset", "truncated", "protocol", "tls")
"""Errors of a probe from this machine that are the target's; the rest (no network here, out of sockets) is ours."""
_MAX_REASON = 120


class Outcome(NamedTuple):
    """How one probe ended: milliseconds with a success, and what was wrong without; which address of the target answered."""

    status: SampleStatus
    rtt_ms: float | None = None
    reason: str = ""
    address: str = ""


def measurement(job: Job, started_at: datetime, outcome: Outcome) -> Measurement:
    """An outcome as it is kept: a reason is one short line, and never empty without a success."""
    status, rtt_ms, reason, address = outcome
    if status != "success":
        reason = shorten(reason, _MAX_REASON) or "an error without a text"
    return Measurement(
        job_id=job.id, status=status, started_at=started_at, rtt_ms=rtt_ms, reason=reason, address=address
    )


def is_cut_short(error: FetchError | None) -> bool:
    """Whether a probe has no outcome because the pass ended."""
    return error is not None and error.kind in _CUT_SHORT


def judge_error(error: FetchError) -> Outcome:
    """What an error of a probe from this machine says about the target."""
    return Outcome("missed" if error.kind in _TARGET_ERRORS else "system_error", reason=error.message)
