"""Rows of the table ``jobs`` on the other side: which columns are asked for, and what a row must be like to be kept here."""

from __future__ import annotations

from pollctl_latency.client.targets import target_error
from pollctl_latency.model import RemoteJob

COLUMNS = ",".join(RemoteJob.__struct_fields__)
_LONGEST_S = 3_153_600_000


def problem(job: RemoteJob) -> str:
    """Why a job could not be kept here; empty where it can."""
    if not 1 <= job.cadence_seconds <= job.duration_seconds <= _LONGEST_S:
        return f"a cadence of {job.cadence_seconds} s and a duration of {job.duration_seconds} s do not go together"
    if not 2000 <= job.started_at.year < 2300:  # noqa: PLR2004 - what the tables here take
        return "its start lies outside of the years 2000 to 2299"
    if "@" in job.target and "://" in job.target.partition("@")[0]:
        return "a login in a target would be seen by all who see the job; nothing is sampled"
    return target_error(job.target, job.probe) or ""
