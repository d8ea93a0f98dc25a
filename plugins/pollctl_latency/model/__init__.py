"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

from pollctl_latency.model.batch import Measurement, Round
from pollctl_latency.model.decisions import AddSample, ChangeAlertState, CompleteJob, Decision, PruneSamples, RollUpJob
from pollctl_latency.model.jobs import (
    AlertState,
    AlertType,
    Family,
    Job,
    JobStatus,
    Limits,
    Mode,
    NewJob,
    Probe,
    SampleStatus,
    Verdict,
)
from pollctl_latency.model.settings import Settings
from pollctl_latency.model.state import Rollup, Sample, State, Stats, Summary, Tail

__all__ = [
    "AddSample",
    "AlertState",
    "AlertType",
    "ChangeAlertState",
    "CompleteJob",
    "Decision",
    "Family",
    "Job",
    "JobStatus",
    "Limits",
    "Measurement",
    "Mode",
    "NewJob",
    "Probe",
    "PruneSamples",
    "RollUpJob",
    "Rollup",
    "Round",
    "Sample",
    "SampleStatus",
    "Settings",
    "State",
    "Stats",
    "Summary",
    "Tail",
    "Verdict",
]
