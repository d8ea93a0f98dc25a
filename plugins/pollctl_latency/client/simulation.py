"""Measurements of simulated targets; it draws chance, from seeds that a job and a moment give."""

from __future__ import annotations

import random
from datetime import datetime

from pollctl_latency.client.outcome import Outcome, measurement
from pollctl_latency.model import Job, Measurement

_PROFILES = {"healthy": 0.001, "intermittent": 0.3, "offline": 1.0}
"""Synthetic targets, and the share of probes that each misses."""


def simulate(job: Job, now: datetime) -> Measurement:
    """A synthetic measurement, the same for a job and a moment; the target may name its profile ("offline-1")."""
    named = [profile for profile in _PROFILES if profile in job.target]
    profile = named[0] if named else random.Random(job.target).choice(list(_PROFILES))  # noqa: S311 - a simulation
    generator = random.Random(f"{job.id} {now.isoformat()}")  # noqa: S311
    if generator.random() < _PROFILES[profile]:
        return measurement(job, now, Outcome("missed", reason=f"simulated {profile} target"))
    return measurement(job, now, Outcome("success", max(0.1, generator.gauss(20, 3))))
