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
from pollctl_latency.model.remote import (
    ClaimJobs,
    CloseMirrored,
    EditJob,
    Mirrored,
    MirrorState,
    NoteMirror,
    RemoteJob,
    RemoteRead,
    job_of_lane,
    lane_of,
)
from pollctl_latency.model.settings import Settings, Supabase
from pollctl_latency.model.state import Rollup, Sample, State, Stats, Summary, Tail

__all__ = [
    "AddSample",
    "AlertState",
    "AlertType",
    "ChangeAlertState",
    "ClaimJobs",
    "CloseMirrored",
    "CompleteJob",
    "Decision",
    "EditJob",
    "Family",
    "Job",
    "JobStatus",
    "Limits",
    "Measurement",
    "MirrorState",
    "Mirrored",
    "Mode",
    "NewJob",
    "NoteMirror",
    "Probe",
    "PruneSamples",
    "RemoteJob",
    "RemoteRead",
    "RollUpJob",
    "Rollup",
    "Round",
    "Sample",
    "SampleStatus",
    "Settings",
    "State",
    "Stats",
    "Summary",
    "Supabase",
    "Tail",
    "Verdict",
    "job_of_lane",
    "lane_of",
]
