"""The SELECTs behind listings and metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pollctl import UsageError, sql, to_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_LATE = timedelta(minutes=10)  # after its moment somebody should have asked
COUNTED = (
    "polls",
    "is_running_true",
    "is_running_false",
    "is_running_failed",
    "confirmations",
    "row_probes",
    "fast_ready",
    "rowset_retries",
    "timeout_duration",
    "timeout_polls",
    "timeout_rowset",
    "reconciled",
)
"""What passes count, in ``stats`` of the pass."""
_COLUMNS = """id, name, status, target_de_customer_key, target_update_type, target_fields IS NOT NULL AS is_own_target,
    row_count, error_message, task_id, query_definition_id, customer_key, sql_text_hash, created_at, started_at,
    poll_started_at, completed_at, target_cleared_at, coalesce(poll_count, 0) AS poll_count, next_poll_at,
    coalesce(not_running_confirmations, 0) AS not_running_confirmations, coalesce(rowset_attempts, 0) AS rowset_attempts"""
_RUNS = f"SELECT {_COLUMNS}, sql_text FROM shell_query_runs LEFT JOIN shell_query_polls ON run_id = id"  # noqa: S608
RUN_IDS = "SELECT id, name || ' ' || status FROM shell_query_runs ORDER BY created_at DESC"
"""What a shell offers for a run."""


def runs(db: Database) -> sql.Listing:
    """Runs, the newest first."""
    return sql.Listing(db, f"{_RUNS} ORDER BY created_at DESC, id", row=_shown)


def run_id(db: Database, named: str) -> str:
    """The id of a run that a person names: itself, or that of the ``latest``.

    Raises:
        UsageError: there is no run yet.
    """
    if named != "latest":
        return named
    for (found,) in db.execute("SELECT id FROM shell_query_runs ORDER BY created_at DESC, id LIMIT 1"):
        return str(found)
    raise UsageError("no run yet; `pollctl shell-query submit` asks for one")


def run(db: Database, run_id: str) -> dict[str, Any]:
    """One run.

    Raises:
        UsageError: there is none with this id.
    """
    for row in db.query(f"{_RUNS} WHERE id = ?", [run_id]):
        return _shown(row)
    raise UsageError(f"no run {run_id!r}; `pollctl shell-query runs` lists them")


def latest_pass(db: Database) -> str | None:
    """The id of the latest pass; None before the first."""
    (found,) = db.execute("SELECT max(id) FROM runs WHERE plugin = 'shell_query'").fetchone()
    return None if found is None else str(found)


def without_sql(row: dict[str, Any]) -> dict[str, Any]:
    """A run as listings show it."""
    return {key: value for key, value in row.items() if key != "sql_text"}


def by_status(db: Database) -> dict[str, int]:
    """How many runs there are, by status."""
    return dict(db.execute("SELECT status, count(*) FROM shell_query_runs GROUP BY status").fetchall())


def totals(db: Database) -> dict[str, int]:
    """What polls came to, in the passes that are remembered."""
    sums = ", ".join(f"coalesce(sum(json_extract(stats, '$.{name}')), 0)" for name in COUNTED)
    row = db.execute(f"SELECT {sums} FROM runs WHERE plugin = 'shell_query'").fetchone()  # noqa: S608 - own names
    return dict(zip(COUNTED, map(int, row), strict=True))


def durations(db: Database, bounds: tuple[float, ...]) -> tuple[list[int], int, float]:
    """How many ended runs took at most so many seconds from T0, for each bound; how many there are, and their sum."""
    took = "(julianday(completed_at) - julianday(poll_started_at)) * 86400"
    within = ", ".join(f"coalesce(sum(took <= {bound} + 0.0005), 0)" for bound in bounds)
    row = db.execute(
        f"""SELECT {within}, count(*), coalesce(sum(took), 0) FROM (SELECT {took} AS took FROM shell_query_runs
            WHERE completed_at IS NOT NULL AND poll_started_at IS NOT NULL)"""  # noqa: S608 - own text
    ).fetchone()
    return [int(number) for number in row[:-2]], int(row[-2]), round(max(0.0, float(row[-1])), 3)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "is_own_target": bool(row["is_own_target"])}


def nothing_due(db: Database) -> str:
    """Why there may be nothing to ask: no run that is open, or none before a moment."""
    number, at = db.execute(
        "SELECT count(*), min(next_poll_at) FROM shell_query_runs LEFT JOIN shell_query_polls ON run_id = id "
        "WHERE completed_at IS NULL"
    ).fetchone()
    if not number:
        return "no run is open; `pollctl shell-query submit` asks for one"
    return f"{number} open, none due before {at}" if at else f"{number} open"


def unasked(db: Database, now: datetime) -> list[str]:
    """What `check` warns of: runs that should have been asked after a while ago."""
    number, since = db.execute(
        "SELECT count(*), min(next_poll_at) FROM shell_query_polls WHERE closed_at IS NULL AND next_poll_at < ?",
        [to_text(now - _LATE)],
    ).fetchone()
    what = "1 run waits" if number == 1 else f"{number} runs wait"
    return [f"{what} to be asked after since {since}; `pollctl why shell-query`"] if number else []
