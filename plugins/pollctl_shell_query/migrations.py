"""The tables of shell_query, step by step; a step that was released is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import Migrations
from pollctl.sql import NOW

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("shell_query")


def _is_moment(column: str) -> str:
    """A CHECK that a column holds a UTC moment as ``pollctl.to_text`` writes it, so that it sorts as text.

    As released; new tables use ``pollctl.sql.utc``.
    """
    return f"{column} GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]Z'"


def _moments(*columns: str) -> str:
    return ",\n    ".join(f"{column} TEXT CHECK ({_is_moment(column)})" for column in columns)


_TABLES = (
    f"""CREATE TABLE shell_query_runs (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    name TEXT NOT NULL DEFAULT '',
    sql_text TEXT,
    sql_text_hash TEXT NOT NULL DEFAULT '',
    target_de_customer_key TEXT NOT NULL CHECK (target_de_customer_key <> ''),
    target_update_type TEXT NOT NULL DEFAULT 'Overwrite' CHECK (target_update_type IN ('Overwrite', 'Append', 'Update')),
    target_fields TEXT,
    status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'ready', 'failed', 'canceled')),
    task_id TEXT,
    query_definition_id TEXT,
    customer_key TEXT UNIQUE CHECK (length(customer_key) <= 36),
    row_count INTEGER CHECK (row_count >= 0),
    error_message TEXT,
    admissions INTEGER NOT NULL DEFAULT 0 CHECK (admissions >= 0),
    created_at TEXT NOT NULL DEFAULT ({NOW}) CHECK ({_is_moment("created_at")}),
    {_moments("admitted_at", "started_at", "poll_started_at", "completed_at", "target_cleared_at")},
    CHECK ((completed_at IS NULL) = (status IN ('queued', 'running')))
) STRICT""",
    "CREATE INDEX shell_query_open_runs ON shell_query_runs (status, created_at) WHERE completed_at IS NULL",
    """CREATE INDEX shell_query_own_targets ON shell_query_runs (completed_at)
    WHERE target_fields IS NOT NULL AND target_cleared_at IS NULL""",
    f"""CREATE TABLE shell_query_polls (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES shell_query_runs (id) ON DELETE CASCADE,
    poll_count INTEGER NOT NULL DEFAULT 0 CHECK (poll_count >= 0),
    not_running_confirmations INTEGER NOT NULL DEFAULT 0 CHECK (not_running_confirmations >= 0),
    rowset_attempts INTEGER NOT NULL DEFAULT 0 CHECK (rowset_attempts >= 0),
    {_moments("next_poll_at", "not_running_detected_at", "row_probe_last_at", "closed_at")}
) STRICT""",
    "CREATE INDEX shell_query_due ON shell_query_polls (next_poll_at) WHERE closed_at IS NULL",
    f"""CREATE TABLE shell_query_tokens (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    grantor TEXT NOT NULL,
    access_token TEXT NOT NULL,
    soap_url TEXT NOT NULL,
    rest_url TEXT NOT NULL,
    {_moments("renew_at")}
) STRICT""",
    f"CREATE TABLE shell_query_sweeps (id INTEGER PRIMARY KEY CHECK (id = 1), {_moments('swept_at')}) STRICT",
)


@migrations()
def m001_tables(db: Database) -> None:
    """Runs and their poll state, the token, and when definitions were last swept."""
    for statement in _TABLES:
        db.execute(statement)


@migrations()
def m002_recipients(db: Database) -> None:
    """Who is told of the end of a run."""
    db.execute(
        """CREATE TABLE shell_query_notify (
    run_id TEXT NOT NULL REFERENCES shell_query_runs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    PRIMARY KEY (run_id, url)
) STRICT, WITHOUT ROWID"""
    )


@migrations()
def m003_refusals(db: Database) -> None:
    """In how many polls in a row a fresh token was refused too."""
    db.execute(
        "ALTER TABLE shell_query_polls ADD COLUMN auth_failures INTEGER NOT NULL DEFAULT 0 CHECK (auth_failures >= 0)"
    )
