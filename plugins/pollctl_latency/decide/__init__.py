"""The rules: what a measurement means for its job, when a job is over, how it did, and what becomes of jobs kept elsewhere.

Pure; no I/O, no clock.
"""

from __future__ import annotations

from datetime import datetime

from pollctl_latency.decide.measurements import judge_end, judge_measurement
from pollctl_latency.decide.remote import judge_read
from pollctl_latency.model import Decision, PruneSamples, Round, Settings, State


def decide(state: State, batch: Round, now: datetime, settings: Settings) -> list[Decision]:
    """What one round changes: jobs kept elsewhere, samples and alerts, then jobs that are over, then samples that are old."""
    decisions: list[Decision] = []
    if batch.remote is not None:
        decisions.extend(judge_read(state, batch.remote, now, settings.poller))
    for measurement in batch.measurements:
        decisions.extend(judge_measurement(state, measurement))
    for job_id in batch.finished:
        decisions.extend(judge_end(state, job_id, now))
    before = now - settings.keep_samples
    reason = f"rolled up, and older than {settings.keep_samples}"
    decisions.extend(PruneSamples(job_id=job_id, before=before, reason=reason) for job_id in batch.prunable)
    return decisions
