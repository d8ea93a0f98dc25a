"""What the report shows of latency: is the line good?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from pollctl import (
    Column,
    Figure,
    KeyFigures,
    Notice,
    Section,
    State,
    Table,
    Threshold,
    TimeSeries,
    counted,
    from_text,
    spoken_number,
)
from pollctl.sql import columns
from pollctl_latency import queries

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl_latency.queries import Point

_MOST_SERIES = 6
_MOST_JOBS = 12
_MOST_ALERTS = 8
_MOST_NOTICES = 5
_VERDICTS = {
    "pass": State("pass", "ok"),
    "fail": State("fail", "fail"),
    "unreliable": State("unreliable", "warn"),
    "no_data": State("no data", "none"),
}
_JOB_COLUMNS = (
    Column("id", "job", "id"),
    Column("target"),
    Column("probe", kind="id", drop=3),
    Column("state", kind="state"),
    Column("since", kind="moment", drop=2),
    Column("median", "median ms", "number", drop=2),
    Column("p95", "p95 ms", "number", drop=1),
    Column("lost", kind="share"),
    Column("samples", kind="number", drop=3),
)
_ALERT_COLUMNS = (
    Column("triggered_at", "when", "moment"),
    Column("state", "what", "state"),
    Column("target"),
    Column("job_id", "job", "id", drop=1),
)
PRIVACY = {
    "latency_jobs": columns(
        shown="target probe monitoring_mode status alert_state started_at last_ping_at completed_at verdict "
        "offline_since offline_reason blind_since expect cause",
        private="login",
    ),
    "latency_samples": columns(shown="status recorded_at reason address"),
    "latency_rollups": columns(shown="bucket_start"),
    "latency_notify": columns(private="url"),
    "latency_alerts": columns(shown="alert_type triggered_at"),
    "latency_mirror": columns(shown="remote_id state pinged_at"),
    "latency_mirror_held": columns(shown="reason held_at"),
    "latency_mirror_claims": columns(shown="remote_id"),
    "latency_mirror_state": columns(shown="error"),
}
"""Logins of targets and addresses of people are private."""
QUERIES = {
    "jobs": (
        "Jobs and how they do",
        """SELECT id, target, status, alert_state, last_ping_at, success, missed, system_error,
    round(100.0 * missed / nullif(success + missed, 0), 2) AS loss_percent, rtt_median_ms, rtt_p95_ms, verdict
FROM latency_jobs ORDER BY status <> 'running', id DESC LIMIT 200""",
    ),
    "alerts": (
        "Alerts",
        """SELECT triggered_at, alert_type, target, job_id FROM latency_alerts
JOIN latency_jobs ON latency_jobs.id = job_id ORDER BY latency_alerts.id DESC LIMIT 200""",
    ),
    "hours-of-job": (
        "One job, hour by hour",
        """SELECT substr(recorded_at, 1, 13) || ':00Z' AS hour, count(*) AS samples, sum(status = 'missed') AS missed,
    round(avg(rtt_ms), 1) AS mean_ms, round(max(rtt_ms), 1) AS longest_ms
FROM latency_samples WHERE job_id = :job GROUP BY 1 ORDER BY 1 DESC LIMIT 500""",
    ),
}
"""By name: title and SELECT."""


def sections(db: Database, now: datetime, since: datetime) -> list[Section]:
    """Running jobs with their series, offline ones first; jobs; alerts."""
    listed = queries.most_urgent(db, now)
    jobs = listed[:_MOST_JOBS]
    running, offline, alerted = queries.numbers(db, since)
    points = {job["id"]: queries.points(db, job["id"], since) for job in jobs if job["status"] == "running"}
    figures = (
        Figure("jobs running", running),
        Figure("offline now", offline, level="fail" if offline else "ok"),
        Figure("alerts", alerted),
    )
    empty = "No job yet: `pollctl latency add TARGET` starts one."
    rows = [_row(job, points.get(job["id"])) for job in jobs]
    series = [_series(job, points[job["id"]], since, now) for job in jobs[:_MOST_SERIES] if job["id"] in points]
    table = Table(_JOB_COLUMNS, rows, "Jobs", empty, len(listed))
    blocks: tuple[KeyFigures | Table | TimeSeries, ...] = (KeyFigures(figures), table, *series, _alerts(db))
    return [Section("Is the line good?", blocks, _summary(running, offline), _notices(jobs, offline))]


def _notices(jobs: Sequence[Mapping[str, Any]], offline: int) -> list[Notice]:
    """Each target that is offline; of many the latest, and how many more there are."""
    found = [_notice(job) for job in jobs[:_MOST_NOTICES] if _is_offline(job)]
    if more := offline - len(found):
        text = f"{counted(more, 'more target is', 'more targets are')} offline"
        found.append(Notice(text, "fail", remedy="pollctl latency jobs"))
    return found


def _notice(job: Mapping[str, Any]) -> Notice:
    since = from_text(job["offline_since"]) if job["offline_since"] else None
    return Notice(f"{job['target']} is offline", "fail", since, f"pollctl latency show {job['id']}")


def _summary(running: int, offline: int) -> str:
    if offline:
        return f"{offline} of {counted(running, 'target')} offline"
    return f"{counted(running, 'target')}, none offline" if running else ""


def _is_offline(job: Mapping[str, Any]) -> bool:
    return (job["status"], job["alert_state"]) == ("running", "offline_alerted")


def _row(job: Mapping[str, Any], points: Sequence[Point] | None) -> dict[str, Any]:
    """A job with its numbers: of the time that is shown while it runs, its own when it has ended."""
    return {
        **job,
        "state": _state(job),
        "since": job["offline_since"] if _is_offline(job) else job["last_ping_at"],
        **(_own_numbers(job) if points is None else _numbers(points)),
    }


def _own_numbers(job: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "median": job["rtt_median_ms"],
        "p95": job["rtt_p95_ms"],
        "lost": None if job["loss_percent"] is None else job["loss_percent"] / 100,
        "samples": job["success"] + job["missed"] + job["system_error"],
    }


def _numbers(points: Sequence[Point]) -> dict[str, Any]:
    values = [value for _, value in points if value is not None]
    is_measured = len(values) > 1  # of which a 95th percentile can be taken
    return {
        "median": median(values) if values else None,
        "p95": quantiles(values, n=20, method="inclusive")[-1] if is_measured else None,
        "lost": 1 - len(values) / len(points) if points else None,
        "samples": len(points),
    }


def _state(job: Mapping[str, Any]) -> State:
    if _is_offline(job):
        return State("offline", "fail")
    if job["status"] == "running":
        trouble = "blind" if job["is_blind"] else "stale" if job["stale"] else ""
        return State(trouble, "warn") if trouble else State("running", "info")
    return _VERDICTS.get(job["verdict"], State(job["status"], "none"))


def _series(job: Mapping[str, Any], points: Sequence[Point], since: datetime, now: datetime) -> TimeSeries:
    limit = job["max_p95_ms"]
    thresholds = [Threshold(limit, f"limit {spoken_number(limit)} ms (p95)")] if limit else []
    return TimeSeries(job["target"], "ms", points, since, now, thresholds)


def _alerts(db: Database) -> Table:
    alerts = queries.alerts(db)
    rows = [
        {**alert, "state": State(alert["alert_type"], "fail" if alert["alert_type"] == "offline" else "ok")}
        for alert in alerts[:_MOST_ALERTS]
    ]
    return Table(_ALERT_COLUMNS, rows, "Alerts", "No alert.", len(alerts))
