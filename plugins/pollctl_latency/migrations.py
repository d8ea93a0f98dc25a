"""The tables of latency, step by step; a step that was released is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import Migrations, Secret, sql
from pollctl_latency.client.targets import split_login
from pollctl_latency.deliver.texts import loss_text, speed_text
from pollctl_latency.model import Summary

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("latency")

_NUMBERS = """rtt_avg_ms REAL,
    rtt_min_ms REAL,
    rtt_max_ms REAL,
    rtt_p95_ms REAL,
    jitter_avg_ms REAL"""
_COUNTS = """success INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    system_error INTEGER NOT NULL DEFAULT 0"""
_TABLES = (
    f"""CREATE TABLE latency_jobs (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL CHECK (target <> ''),
    probe TEXT NOT NULL DEFAULT 'api' CHECK (probe IN ('api', 'http', 'tcp', 'icmp')),
    monitoring_mode TEXT NOT NULL DEFAULT 'real_polling'
        CHECK (monitoring_mode IN ('simulated', 'real_polling')),
    cadence_seconds INTEGER NOT NULL DEFAULT 60 CHECK (cadence_seconds >= 1),
    duration_seconds INTEGER NOT NULL DEFAULT 3600
        CHECK (duration_seconds BETWEEN cadence_seconds AND 3153600000),
    status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
    alert_state TEXT NOT NULL DEFAULT 'ok' CHECK (alert_state IN ('ok', 'offline_alerted')),
    alert_offline INTEGER NOT NULL DEFAULT 0 CHECK (alert_offline IN (0, 1)),
    alert_recovery INTEGER NOT NULL DEFAULT 0 CHECK (alert_recovery IN (0, 1)),
    started_at TEXT NOT NULL DEFAULT ({sql.NOW})
        CHECK ({sql.utc("started_at")}),
    last_ping_at TEXT CHECK (last_ping_at GLOB '20??-??-??T??:??:??*Z'),
    completed_at TEXT CHECK ({sql.utc("completed_at")}),
    is_rolled_up INTEGER NOT NULL DEFAULT 0 CHECK (is_rolled_up IN (0, 1)),
    {_COUNTS},
    {_NUMBERS},
    loss_percent REAL,
    rtt_median_ms REAL,
    jitter_max_ms REAL,
    outages INTEGER,
    longest_streak INTEGER,
    verdict TEXT CHECK (verdict IN ('pass', 'fail', 'unreliable', 'no_data'))
) STRICT""",
    "CREATE INDEX latency_jobs_by_status ON latency_jobs (status, is_rolled_up)",
    f"""CREATE TABLE latency_samples (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    sequence_number INTEGER NOT NULL CHECK (sequence_number >= 0),
    status TEXT NOT NULL CHECK (status IN ('success', 'missed', 'system_error')),
    rtt_ms REAL CHECK (rtt_ms >= 0),
    jitter_ms REAL CHECK (jitter_ms >= 0),
    recorded_at TEXT NOT NULL CHECK ({sql.utc("recorded_at")}),
    error TEXT,
    PRIMARY KEY (job_id, sequence_number),
    CHECK ((status = 'success') = (rtt_ms IS NOT NULL))
) STRICT, WITHOUT ROWID""",
    # The latest success and the latest misses of a job stay one look-up each after a week of outage.
    "CREATE INDEX latency_samples_by_status ON latency_samples (job_id, status, sequence_number)",
    f"""CREATE TABLE latency_rollups (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    bucket_start TEXT NOT NULL CHECK ({sql.utc("bucket_start")}),
    {_COUNTS},
    {_NUMBERS},
    PRIMARY KEY (job_id, bucket_start)
) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE latency_alerts (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    alert_type TEXT NOT NULL CHECK (alert_type IN ('offline', 'recovery')),
    triggered_at TEXT NOT NULL CHECK ({sql.utc("triggered_at")})
) STRICT""",
    "CREATE INDEX latency_alerts_by_job ON latency_alerts (job_id, id)",
    """CREATE TABLE latency_notify (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    UNIQUE (job_id, url)
) STRICT""",
)


@migrations()
def m001_tables(db: Database) -> None:
    """Jobs, samples, roll-ups, alerts and who is notified."""
    for statement in _TABLES:
        db.execute(statement)


@migrations()
def m002_logins(db: Database) -> None:
    """Logins of targets get a column of their own, which nothing shows."""
    db.execute("ALTER TABLE latency_jobs ADD COLUMN login TEXT")
    rows = db.execute("SELECT id, target FROM latency_jobs WHERE probe = 'http' AND target LIKE '%@%'").fetchall()
    split = [(*split_login(target), job_id) for job_id, target in rows]
    db.conn.executemany("UPDATE latency_jobs SET target = ?, login = nullif(?, '') WHERE id = ?", split)


@migrations()
def m003_messages(db: Database) -> None:
    """Notifications that have not arrived become messages, which the core delivers."""
    from pollctl import carry_over

    addresses = {number: Secret(url) for number, url in db.execute("SELECT id, url FROM latency_notify").fetchall()}
    carry_over(db, "latency", "alert", lambda payload: (*_alert(payload), addresses.get(payload["recipient"])))
    carry_over(
        db, "latency", "completion", lambda payload: (*_completion(payload), addresses.get(payload["recipient"]))
    )


_LIMITS = (
    "alert_blind INTEGER CHECK (alert_blind IN (0, 1))",
    "is_blind INTEGER NOT NULL DEFAULT 0 CHECK (is_blind IN (0, 1))",
    f"offline_since TEXT CHECK ({sql.utc('offline_since')})",
    "offline_reason TEXT",
    f"blind_since TEXT CHECK ({sql.utc('blind_since')})",
    "max_loss_percent REAL NOT NULL DEFAULT 2 CHECK (max_loss_percent BETWEEN 0 AND 100)",
    "max_p95_ms REAL NOT NULL DEFAULT 100 CHECK (max_p95_ms >= 0)",
    "max_jitter_ms REAL NOT NULL DEFAULT 30 CHECK (max_jitter_ms >= 0)",
    "outage_length INTEGER NOT NULL DEFAULT 5 CHECK (outage_length BETWEEN 1 AND 1000)",
    "family INTEGER NOT NULL DEFAULT 0 CHECK (family IN (0, 4, 6))",
    "expect TEXT NOT NULL DEFAULT '200-399'",
    "cause TEXT",
)


@migrations()
def m004_limits(db: Database) -> None:
    """Limits of each job's own, samples that say why and from where, and alerts of what cannot be measured."""
    for column in _LIMITS:
        db.execute(f"ALTER TABLE latency_jobs ADD COLUMN {column}")
    db.execute("ALTER TABLE latency_samples RENAME COLUMN error TO reason")
    db.execute("ALTER TABLE latency_samples ADD COLUMN address TEXT")
    db.execute("ALTER TABLE latency_alerts RENAME TO latency_alerts_before")
    db.execute("DROP INDEX latency_alerts_by_job")
    db.execute(
        f"""CREATE TABLE latency_alerts (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    alert_type TEXT NOT NULL CHECK (alert_type IN ('offline', 'recovery', 'blind', 'seeing')),
    triggered_at TEXT NOT NULL CHECK ({sql.utc("triggered_at")})
) STRICT"""
    )
    db.execute("INSERT INTO latency_alerts SELECT * FROM latency_alerts_before")
    db.execute("DROP TABLE latency_alerts_before")
    db.execute("CREATE INDEX latency_alerts_by_job ON latency_alerts (job_id, id)")


_MIRROR = (
    f"""CREATE TABLE latency_mirror (
    job_id INTEGER PRIMARY KEY REFERENCES latency_jobs (id) ON DELETE CASCADE,
    remote_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'closing', 'closed', 'gone')),
    first_number INTEGER NOT NULL DEFAULT 0 CHECK (first_number >= 0),
    sent_through INTEGER NOT NULL DEFAULT -1,
    is_sending INTEGER NOT NULL DEFAULT 0 CHECK (is_sending IN (0, 1)),
    sends INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    pinged_at TEXT CHECK ({sql.utc("pinged_at")})
) STRICT""",
    f"""CREATE TABLE latency_mirror_held (
    job_id INTEGER NOT NULL REFERENCES latency_jobs (id) ON DELETE CASCADE,
    sequence_number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    held_at TEXT NOT NULL CHECK ({sql.utc("held_at")}),
    is_released INTEGER NOT NULL DEFAULT 0 CHECK (is_released IN (0, 1)),
    PRIMARY KEY (job_id, sequence_number)
) STRICT, WITHOUT ROWID""",
    "CREATE TABLE latency_mirror_claims (remote_id TEXT PRIMARY KEY) STRICT",
    """CREATE TABLE latency_mirror_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    others INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    is_pinging INTEGER NOT NULL DEFAULT 0 CHECK (is_pinging IN (0, 1))
) STRICT""",
    "INSERT INTO latency_mirror_state (id) VALUES (1)",
)


@migrations()
def m005_mirror(db: Database) -> None:
    """Jobs kept elsewhere, how far their samples have been sent, and what will not be taken there."""
    for statement in _MIRROR:
        db.execute(statement)


_TURNS = (
    "CREATE INDEX latency_jobs_by_ping ON latency_jobs (cadence_seconds, last_ping_at) WHERE status = 'running'",
    """CREATE INDEX latency_jobs_by_end ON latency_jobs (
    strftime('%Y-%m-%dT%H:%M:%fZ', started_at, '+' || duration_seconds || ' seconds')
) WHERE status = 'running'""",
)


@migrations()
def m006_turns(db: Database) -> None:
    """Running jobs are found by when they are due or over: a round reads those alone, however many there are."""
    for statement in _TURNS:
        db.execute(statement)


def _alert(payload: dict[str, Any]) -> tuple[str, str]:
    change = "is offline" if payload["alert_type"] == "offline" else "has recovered"
    return (
        f"{payload['target']} {change}",
        f"Job {payload['job_id']}, noticed by the probe of {payload['triggered_at']}.",
    )


def _completion(payload: dict[str, Any]) -> tuple[str, str]:
    numbers = msgspec.convert({name: payload[name] for name in Summary.__struct_fields__ if name in payload}, Summary)
    body = "\n".join([loss_text(numbers), *speed_text(numbers), f"Job {payload['job_id']}."])
    return f"{payload['target']}: {payload['verdict']}", body
