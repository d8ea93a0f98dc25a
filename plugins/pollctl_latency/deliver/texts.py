"""What people are told of an outage, a recovery and a verdict; the core delivers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pollctl import Run, counted, spoken_length, spoken_moment, spoken_number
from pollctl_latency.model import Limits, Summary


class Told(NamedTuple):
    """A job, as far as messages name it.

    Attributes:
        cadence: between two probes.
        offline_since: the first miss of the outage that it is in, and why.
        blind_since: the first of the samples at the end that could not be taken.
    """

    id: int
    target: str
    probe: str
    cadence: timedelta
    started_at: datetime
    offline_since: datetime | None
    offline_reason: str
    blind_since: datetime | None
    limits: Limits


class Streak(NamedTuple):
    """Samples in a row that say the same.

    Attributes:
        since: the first of them.
        length: how many there are.
        reason: what was wrong with the first.
    """

    since: datetime
    length: int
    reason: str


def offline_text(job: Told, streak: Streak, run: Run) -> tuple[str, str]:
    """Title and body of the alert that a target is offline: since the first miss, with its cause."""
    since = spoken_moment(streak.since, run.timezone, today=run.now)
    title = (
        f"{job.target} is offline since {since} ({counted(streak.length, 'miss', 'misses')} in a row: {streak.reason})"
    )
    return title, f"Noticed after {spoken_length(run.now - streak.since)}.\n{_origin(job, run)}"


def recovery_text(job: Told, answered_at: datetime, run: Run) -> tuple[str, str]:
    """Title and body of the alert that a target answers again, and how long it did not."""
    until = spoken_moment(answered_at, run.timezone, today=run.now)
    body = f"It answers again since {until}"
    if job.offline_since is None:
        return f"{job.target} is back", f"{body}.\n{_origin(job, run)}"
    since = spoken_moment(job.offline_since, run.timezone, today=run.now)
    title = f"{job.target} is back after {spoken_length(answered_at - job.offline_since)}"
    return title, f"{body}; it was offline since {since} ({job.offline_reason}).\n{_origin(job, run)}"


def blind_text(job: Told, streak: Streak, run: Run) -> tuple[str, str]:
    """Title and body of the alert that nothing can be said about a target."""
    since = spoken_moment(streak.since, run.timezone, today=run.now)
    several = f"{counted(streak.length, 'sample')} in a row could not be taken: {streak.reason}"
    title = f"{job.target} cannot be measured since {since} ({several})"
    return title, f"Whether it is up is not known.\n{_origin(job, run)}"


def seeing_text(job: Told, run: Run) -> tuple[str, str]:
    """Title and body of the alert that a target can be measured again."""
    if job.blind_since is None:
        return f"{job.target} can be measured again", _origin(job, run)
    since = spoken_moment(job.blind_since, run.timezone, today=run.now)
    title = f"{job.target} can be measured again after {spoken_length(run.now - job.blind_since)}"
    return title, f"It could not be since {since}.\n{_origin(job, run)}"


def completion_text(job: Told, summary: Summary, completed_at: datetime, run: Run) -> tuple[str, str]:
    """Title and body of a verdict."""
    lines = [
        loss_text(summary),
        *speed_text(summary),
        f"Sampled from {spoken_moment(job.started_at, run.timezone)} to {spoken_moment(completed_at, run.timezone)}.",
        _origin(job, run),
    ]
    return f"{job.target}: {verdict_text(summary, job.limits)}", "\n".join(lines)


def verdict_text(summary: Summary, limits: Limits) -> str:
    """A verdict and why: ``unreliable: 31 of 480 samples could not be taken (no network here)``."""
    stats = summary.stats
    match summary.verdict:
        case "no_data":
            return "no data: no sample was taken"
        case "unreliable":
            samples = stats.success + stats.missed + stats.system_error
            why = f" ({summary.cause})" if summary.cause else ""
            return f"unreliable: {stats.system_error} of {counted(samples, 'sample')} could not be taken{why}"
        case "fail":
            return f"fail: {', '.join(exceeded(summary, limits))}"
        case _:
            return f"pass: {lost_text(summary)}"


def exceeded(summary: Summary, limits: Limits) -> list[str]:
    """The limits that a connection exceeded, in words."""
    held = (
        (f"{lost_text(summary)}", "%", summary.loss_percent, limits.max_loss_percent),
        ("p95", "ms", summary.stats.rtt_p95_ms, limits.max_p95_ms),
        ("mean jitter", "ms", summary.stats.jitter_avg_ms, limits.max_jitter_ms),
    )
    return [
        f"{name if unit == '%' else f'{name} {spoken_number(value)} {unit}'} (limit {spoken_number(limit)} {unit})"
        for name, unit, value, limit in held
        if value is not None and value > limit
    ]


def lost_text(summary: Summary) -> str:
    """How many probes were lost: ``5 of 10 probes lost``."""
    made = summary.stats.success + summary.stats.missed
    return f"{summary.stats.missed} of {counted(made, 'probe')} lost"


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
