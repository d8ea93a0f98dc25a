"""What the report shows of shell_query: are the queries done?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from pollctl import Column, Figure, KeyFigures, Lane, Section, Span, State, Table, Timeline, from_text
from pollctl.sql import columns
from pollctl_shell_query import queries

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST_LANES = 8
_MOST_ROWS = 12
_STATES = {
    "ready": State("ready", "ok"),
    "failed": State("failed", "fail"),
    "canceled": State("canceled", "none"),
    "running": State("running", "info"),
    "queued": State("queued", "info"),
}
_COLUMNS = (
    Column("query", kind="id"),
    Column("name"),
    Column("state", kind="state"),
    Column("created_at", "submitted", "moment"),
    Column("took", kind="span", drop=1),
    Column("row_count", "rows", "number", drop=1),
    Column("poll_count", "polls", "number", drop=2),
    Column("error_message", "error", drop=1),
)
PRIVACY = {
    "shell_query_runs": columns(
        shown="id name target_de_customer_key target_update_type target_fields status task_id query_definition_id "
        "customer_key error_message created_at admitted_at started_at poll_started_at completed_at "
        "target_cleared_at",
        private="sql_text sql_text_hash",
    ),
    "shell_query_polls": columns(shown="run_id next_poll_at not_running_detected_at row_probe_last_at closed_at"),
    "shell_query_tokens": columns(shown="renew_at", private="grantor access_token soap_url rest_url"),
    "shell_query_sweeps": columns(shown="swept_at"),
    "shell_query_notify": columns(shown="run_id", private="url"),
}
"""The texts of queries, the login of the installed package and addresses of people are private."""
QUERIES = {
    "runs": (
        "Queries, newest first",
        """SELECT id, name, status, created_at, started_at, completed_at, row_count, error_message
FROM shell_query_runs ORDER BY created_at DESC LIMIT 200""",
    ),
    "open": (
        "Queries under way and when they are asked after",
        """SELECT id, name, status, poll_count, next_poll_at, auth_failures
FROM shell_query_runs JOIN shell_query_polls ON run_id = id WHERE completed_at IS NULL ORDER BY next_poll_at""",
    ),
    "durations": (
        "How long queries take, by day",
        """SELECT substr(created_at, 1, 10) AS day, status, count(*) AS queries,
    round(avg(strftime('%s', completed_at) - strftime('%s', created_at))) AS mean_s
FROM shell_query_runs WHERE completed_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1 DESC LIMIT 200""",
    ),
}
"""By name: title and SELECT."""


def sections(db: Database, now: datetime, since: datetime) -> list[Section]:
    """The latest queries as lanes and as rows."""
    runs = queries.runs(db)[:_MOST_ROWS]
    counts = queries.by_status(db)
    failed = counts.get("failed", 0)
    took = [length.total_seconds() for run in runs if (length := _took(run))]
    figures = (
        Figure("under way", counts.get("running", 0) + counts.get("queued", 0)),
        Figure("ready", counts.get("ready", 0), level="ok"),
        Figure("failed", failed, level="fail" if failed else "none"),
        Figure("median time", timedelta(seconds=median(took)) if took else None, note="of the latest" if took else ""),
    )
    empty = "No query: `pollctl shell-query submit` asks for one."
    blocks = (
        KeyFigures(figures),
        _timeline(runs, since, now),
        Table(_COLUMNS, [_row(run) for run in runs], "Queries", empty, sum(counts.values())),
    )
    summary = ", ".join(f"{counts[status]} {status}" for status in _STATES if counts.get(status))
    return [Section("Are the queries done?", blocks, summary)]


def _took(run: Mapping[str, Any]) -> timedelta | None:
    return from_text(run["completed_at"]) - from_text(run["created_at"]) if run["completed_at"] else None


def _row(run: Mapping[str, Any]) -> dict[str, Any]:
    return {**run, "query": run["id"][:8], "state": _STATES[run["status"]], "took": _took(run)}


def _timeline(runs: Sequence[Mapping[str, Any]], since: datetime, now: datetime) -> Timeline:
    """The latest queries; the axis begins with the first that is shown."""
    shown = [run for run in runs if not run["completed_at"] or from_text(run["completed_at"]) >= since][:_MOST_LANES]
    start = min((from_text(run["created_at"]) for run in shown), default=since)
    lanes = [_lane(run, now) for run in shown]
    return Timeline(lanes, max(since, start), now, "Latest queries, from submission to end")


def _lane(run: Mapping[str, Any], now: datetime) -> Lane:
    state = _STATES[run["status"]]
    ends_at = from_text(run["completed_at"]) if run["completed_at"] else now
    span = Span(from_text(run["created_at"]), ends_at, state.level, state.word)
    return Lane(run["name"] or run["id"][:8], [span])
