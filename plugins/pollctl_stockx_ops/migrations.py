"""The tables of stockx_ops, step by step; a step that was released is never edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import Migrations, Secret, address_digest, sql
from pollctl_stockx_ops.deliver import summary_text
from pollctl_stockx_ops.model import DayCounts

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("stockx_ops")

_FORMAT = "'%Y-%m-%dT%H:%M:%fZ'"


def _to_milliseconds(event: str) -> str:
    """A trigger that gives moments of other programs the milliseconds without which they do not sort as text."""
    columns = ("started_at", "next_poll_at")
    differ = " OR ".join(f"NEW.{column} <> strftime({_FORMAT}, NEW.{column})" for column in columns)
    change = ", ".join(f"{column} = strftime({_FORMAT}, {column})" for column in columns)
    return f"""CREATE TRIGGER stockx_batch_jobs_{event.split(maxsplit=1)[0].lower()} AFTER {event} ON stockx_batch_jobs
    WHEN {differ} BEGIN UPDATE stockx_batch_jobs SET {change} WHERE rowid = NEW.rowid; END"""  # noqa: S608 - own text


_OPEN = "status IN ('PENDING', 'IN_PROGRESS')"
_NOW = f"DEFAULT ({sql.NOW})"
_TABLES = (
    f"""CREATE TABLE stockx_accounts (
    user_id TEXT NOT NULL PRIMARY KEY CHECK (user_id <> ''),
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'BROKEN', 'EXPIRED', 'REVOKED')),
    access_token TEXT,
    refresh_token TEXT,
    expires_at TEXT CHECK ({sql.utc("expires_at")}),
    connection INTEGER NOT NULL DEFAULT 1,
    connected_at TEXT NOT NULL {_NOW} CHECK ({sql.utc("connected_at")}),
    updated_at TEXT NOT NULL {_NOW} CHECK ({sql.utc("updated_at")})
) STRICT""",
    """CREATE TABLE stockx_notify (
    user_id TEXT NOT NULL REFERENCES stockx_accounts (user_id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    PRIMARY KEY (user_id, url)
) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE stockx_batch_jobs (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    user_id TEXT NOT NULL,
    job_type TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'PARTIAL')),
    stockx_operation_id TEXT,
    stockx_listing_id TEXT,
    error_code TEXT,
    error_message TEXT,
    metadata TEXT,
    started_at TEXT NOT NULL {_NOW} CHECK ({sql.utc("started_at")}),
    next_poll_at TEXT CHECK ({sql.utc("next_poll_at")}),
    poll_count INTEGER NOT NULL DEFAULT 0 CHECK (poll_count >= 0),
    attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    updated_at TEXT NOT NULL {_NOW} CHECK ({sql.utc("updated_at")}),
    completed_at TEXT CHECK ({sql.utc("completed_at")})
) STRICT""",
    # The oldest due jobs among millions: jobs never asked about are due by their start, the others by a moment of
    # their own. Each kind is read in the order of the starts until there are enough, or by that moment where few are.
    f"""CREATE INDEX stockx_jobs_new ON stockx_batch_jobs (started_at, id, user_id)
    WHERE {_OPEN} AND next_poll_at IS NULL""",
    f"""CREATE INDEX stockx_jobs_asked ON stockx_batch_jobs (started_at, id, user_id, next_poll_at)
    WHERE {_OPEN} AND next_poll_at IS NOT NULL""",
    f"""CREATE INDEX stockx_jobs_by_moment ON stockx_batch_jobs (next_poll_at)
    WHERE {_OPEN} AND next_poll_at IS NOT NULL""",
    "CREATE INDEX stockx_jobs_by_start ON stockx_batch_jobs (started_at)",
    "CREATE INDEX stockx_jobs_by_operation ON stockx_batch_jobs (stockx_operation_id)",
    _to_milliseconds("INSERT"),
    _to_milliseconds("UPDATE OF started_at, next_poll_at"),
    f"""CREATE TABLE stockx_listings (
    stockx_listing_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('PENDING', 'ACTIVE', 'INACTIVE', 'DELETED', 'CANCELED', 'MATCHED', 'COMPLETED')),
    ask_price INTEGER CHECK (ask_price >= 0),
    currency_code TEXT,
    expires_at TEXT CHECK ({sql.utc("expires_at")}),
    updated_at TEXT NOT NULL {_NOW} CHECK ({sql.utc("updated_at")})
) STRICT""",
    f"""CREATE TABLE stockx_listing_history (
    id INTEGER PRIMARY KEY,
    stockx_listing_id TEXT,
    job_id TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 1,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    changed_by TEXT NOT NULL DEFAULT 'pollctl',
    changed_at TEXT NOT NULL {_NOW} CHECK ({sql.utc("changed_at")}),
    metadata TEXT NOT NULL DEFAULT '{{}}',
    UNIQUE (job_id, attempt, status)
) STRICT""",
    "CREATE INDEX stockx_history_by_listing ON stockx_listing_history (stockx_listing_id, id)",
    "CREATE TABLE stockx_days (day TEXT NOT NULL PRIMARY KEY, summarised_at TEXT NOT NULL) STRICT",
    """CREATE TABLE stockx_pace (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id TEXT NOT NULL,
    last_start REAL
) STRICT""",
)


@migrations()
def m001_tables(db: Database) -> None:
    """Accounts and their notification addresses, jobs, listings and their history, days summed up, and the pace of requests."""
    for statement in _TABLES:
        db.execute(statement)


@migrations()
def m002_messages(db: Database) -> None:
    """Notifications that have not arrived become messages, which the core delivers."""
    from pollctl import carry_over

    own = {address_digest(url): Secret(url) for (url,) in db.execute("SELECT url FROM stockx_notify").fetchall()}
    for kind, text in (("listing_live", _live), ("auth_failed", _refused), ("daily_summary", _day)):
        carry_over(db, "stockx_ops", kind, partial(_told, text, own))


@migrations()
def m003_answers(db: Database) -> None:
    """When the upstream last said how an operation stands, what it forbade and how often it asked for a pause.

    Failed jobs get the moment of their end too; it was in ``updated_at`` alone.
    """
    for column in (
        f"asked_at TEXT CHECK ({sql.utc('asked_at')})",
        "forbidden_count INTEGER NOT NULL DEFAULT 0 CHECK (forbidden_count >= 0)",
        f"forbidden_since TEXT CHECK ({sql.utc('forbidden_since')})",
        "rate_limited_count INTEGER NOT NULL DEFAULT 0 CHECK (rate_limited_count >= 0)",
    ):
        db.execute(f"ALTER TABLE stockx_batch_jobs ADD COLUMN {column}")
    db.execute(
        "UPDATE stockx_batch_jobs SET completed_at = updated_at WHERE status = 'FAILED' AND completed_at IS NULL"
    )


def _told(
    text: Callable[[dict[str, Any]], tuple[str, str]], own: Mapping[str, Secret], payload: dict[str, Any]
) -> tuple[str, str, Secret | str | None]:
    name = payload["recipient"]
    return (*text(payload), own.get(name, name))


def _live(payload: dict[str, Any]) -> tuple[str, str]:
    price = "" if payload["amount"] is None else f" for {payload['amount']} {payload['currency_code'] or ''}".rstrip()
    title = f"StockX: listing {payload['listing_id'] or 'of job ' + payload['job_id']} is live"
    return title, f"{payload['user_id']}: on the market{price} (job {payload['job_id']})."


def _refused(payload: dict[str, Any]) -> tuple[str, str]:
    user = payload["user_id"]
    how = f"`pollctl stockx-ops account connect {user} --refresh-token-env NAME`"
    return f"StockX refuses the login of {user}", f"Its jobs are not followed until you connect it again: {how}."


def _day(payload: dict[str, Any]) -> tuple[str, str]:
    counts = msgspec.convert({name: payload[name] for name in DayCounts.__struct_fields__}, DayCounts)
    return f"StockX on {payload['day']}: {payload['user_id']}", summary_text(counts)
