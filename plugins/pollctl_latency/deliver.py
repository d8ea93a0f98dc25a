"""What people are told of an outage, a recovery and a verdict; the core delivers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pollctl import Run, counted, spoken_length, spoken_moment, spoken_number
from pollctl_latency.model import Summary


class Told(NamedTuple):
    """A job, as far as messages name it.

    Attributes:
        cadence: between two probes.
    """

    id: int
    target: str
    probe: str
    cadence: timedelta
    started_at: datetime


class Outage(NamedTuple):
    """A time without an answer.

    Attributes:
        since: the first miss.
        misses: how many there were.
        why: what was wrong with the last.
        until: the first answer after it; None while there is none.
    """

    since: datetime
    misses: int
    why: str
    until: datetime | None = None


def offline_text(job: Told, outage: Outage | None, run: Run) -> tuple[str, str]:
    """Title and body of the alert that a target is offline."""
    body = "No answer."
    if outage:
        since = f"{spoken_moment(outage.since, run.timezone)} ({spoken_length(run.now - outage.since)})"
        body = f"No answer since {since}, {counted(outage.misses, 'probe')} in a row: {outage.why}."
    return f"{job.target} is offline", f"{body}\n{_origin(job, run)}"


def recovery_text(job: Told, outage: Outage | None, run: Run) -> tuple[str, str]:
    """Title and body of the alert that a target answers again."""
    until = (outage and outage.until) or run.now
    body = f"It answers again since {spoken_moment(until, run.timezone)}."
    if outage:
        since = spoken_moment(outage.since, run.timezone)
        body += f"\nIt was offline for {spoken_length(until - outage.since)}, since {since}: {outage.why}."
    return f"{job.target} has recovered", f"{body}\n{_origin(job, run)}"


def completion_text(job: Told, summary: Summary, completed_at: datetime, run: Run) -> tuple[str, str]:
    """Title and body of a verdict."""
    lines = [
        loss_text(summary),
        *speed_text(summary),
        f"Sampled from {spoken_moment(job.started_at, run.timezone)} to {spoken_moment(completed_at, run.timezone)}.",
        _origin(job, run),
    ]
    return f"{job.target}: {summary.verdict.replace('_', ' ')}", "\n".join(lines)


def loss_text(summary: Summary) -> str:
    """How much was lost, in words."""
    stats = summary.stats
    made = stats.success + stats.missed
    if not made or summary.loss_percent is None:
        return "No probe could be made." if stats.system_error else "There was no probe."
    lost = f"{stats.missed} of {counted(made, 'probe')} lost ({spoken_number(summary.loss_percent)} %)"
    return f"{lost}, {counted(summary.outages, 'outage')}."


def speed_text(summary: Summary) -> list[str]:
    """How fast the answers were, in words; nothing where there were none."""
    p95, jitter = summary.stats.rtt_p95_ms, summary.stats.jitter_avg_ms
    if p95 is None:
        return []
    mean = "" if jitter is None else f"; mean jitter {spoken_number(jitter)} ms"
    return [f"95 of 100 answers within {spoken_number(p95)} ms{mean}."]


def _origin(job: Told, run: Run) -> str:
    return f"latency on {run.host}, job {job.id} ({job.probe}, every {spoken_length(job.cadence)})"
