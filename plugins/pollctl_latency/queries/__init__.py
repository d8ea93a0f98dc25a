"""The SELECTs behind listings, metrics and status."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pollctl import UsageError, counted, from_text, spoken_moment, sql, to_text
from pollctl_latency.client.targets import split_login
from pollctl_latency.queries.turns import IN_TURN

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl_latency.model import Settings

_STALE = """status = 'running' AND round((julianday(?1) - julianday(coalesce(last_ping_at, started_at))) * 86400000)
        > 2000 * cadence_seconds"""
_JOBS = f"""
SELECT id, target, probe, monitoring_mode, cadence_seconds, duration_seconds, status, alert_state,
    alert_offline, alert_recovery, started_at, last_ping_at, completed_at, success, missed, system_error,
    coalesce(loss_percent, 100.0 * missed / nullif(success + missed, 0)) AS loss_percent,
    rtt_avg_ms, rtt_min_ms, rtt_max_ms, rtt_median_ms, rtt_p95_ms, jitter_avg_ms, jitter_max_ms,
    outages, longest_streak, verdict, cause,
    coalesce(alert_blind, EXISTS (SELECT 1 FROM latency_notify WHERE job_id = latency_jobs.id)) AS alert_blind,
    is_blind, offline_since, max_loss_percent, max_p95_ms, max_jitter_ms, outage_length, nullif(family, 0) AS family, expect,
    {_STALE} AS stale,
    (SELECT count(*) FROM latency_notify WHERE job_id = latency_jobs.id) AS recipients
FROM latency_jobs"""  # noqa: S608 - own text
JOB_IDS = "SELECT id, target FROM latency_jobs ORDER BY id DESC"
"""What a shell offers for a job."""
_NAMED = 20
"""Jobs that a notice names; more of them are counted."""
_PATIENCE = timedelta(minutes=2)
"""How long samples may wait to be sent before `status` says so."""
_FLAGS = ("alert_offline", "alert_recovery", "alert_blind", "is_blind", "stale")
Point = tuple[datetime, float | None]
"""When a sample was taken, and its round-trip time in ms; None for one that was missed."""
SAMPLE_COLUMNS = ("sequence_number", "status", "rtt_ms", "jitter_ms", "recorded_at", "reason", "address")


def jobs(db: Database, now: datetime) -> sql.Listing:
    """All jobs, the newest first, with ``stale``: running, and no sample for more than twice the cadence."""
    return sql.Listing(db, f"{_JOBS} ORDER BY id DESC", [to_text(now)], _with_flags)


def most_urgent(db: Database, now: datetime) -> sql.Listing:
    """The same, those that are offline first, then the others that run."""
    order = "status = 'running' AND alert_state = 'offline_alerted' DESC, status = 'running' DESC, id DESC"
    return sql.Listing(db, f"{_JOBS} ORDER BY {order}", [to_text(now)], _with_flags)


def numbers(db: Database, since: datetime) -> tuple[int, int, int]:
    """How many jobs run, how many of those are offline, and how many alerts there were since a moment."""
    running, offline = db.execute(
        "SELECT count(*), coalesce(sum(alert_state = 'offline_alerted'), 0) FROM latency_jobs WHERE status = 'running'"
    ).fetchone()
    (alerts,) = db.execute("SELECT count(*) FROM latency_alerts WHERE triggered_at >= ?", [to_text(since)]).fetchone()
    return running, offline, alerts


def stale_notice(db: Database, now: datetime) -> str:
    """The stale jobs in a line, the newest of them where they are many; empty without any."""
    source = f"FROM latency_jobs WHERE id IN ({IN_TURN}) AND {_STALE}"
    (number,) = db.execute(f"SELECT count(*) {source}", [to_text(now)]).fetchone()
    rows = db.execute(f"SELECT id, target {source} ORDER BY id DESC LIMIT {_NAMED}", [to_text(now)])
    named = [f"{job_id} ({split_login(target)[0]})" for job_id, target in rows]
    more = f" and {number - _NAMED:,} more" if number > _NAMED else ""
    return f"no sample for more than twice the cadence: job {', '.join(named)}{more}" if named else ""


def notice(db: Database, now: datetime) -> str:
    """What a person should look at: stale jobs, samples that wait for the other side or are not taken there."""
    return "; ".join(filter(None, (stale_notice(db, now), mirror_notice(db, now))))


_WAITING = """SELECT count(*), count(DISTINCT job_id), min(recorded_at) FROM latency_mirror JOIN latency_samples USING (job_id)
    WHERE state IN ('active', 'closing') AND sequence_number > sent_through"""
_LAST_ANSWER = """SELECT last_error FROM outbox WHERE plugin = 'latency' AND kind LIKE 'mirror%'
    AND status IN ('pending', 'sending') AND last_error IS NOT NULL ORDER BY next_attempt_at DESC LIMIT 1"""


def mirror_notice(db: Database, now: datetime) -> str:
    """What waits for the side where jobs are kept, since when, and what it answered last; what it does not take; whose they are."""
    samples, jobs, since = db.execute(_WAITING).fetchone()
    answer = db.execute(_LAST_ANSWER).fetchone()
    (held,) = db.execute("SELECT count(*) FROM latency_mirror_held WHERE is_released = 0").fetchone()
    others, error = db.execute("SELECT others, error FROM latency_mirror_state").fetchone()
    parts = [f"jobs kept elsewhere cannot be read: {error}"] if error else []
    if samples and (answer or now - from_text(since) > _PATIENCE):
        moment = spoken_moment(from_text(since), ZoneInfo("UTC"), today=now)
        last = f", last answer {answer[0]}" if answer else ""
        several = f"{samples:,} sample{'' if samples == 1 else 's'} of {counted(jobs, 'job')}"
        parts.append(f"mirror: {several} waiting since {moment}{last}")
    if held:
        parts.append(f"{counted(held, 'sample')} not taken there: `pollctl latency mirror held`")
    if others:
        parts.append(f"{counted(others, 'job')} claimed by others")
    return "; ".join(parts)


def held(db: Database) -> sql.Listing:
    """Samples that the side where jobs are kept does not take, and why."""
    return sql.Listing(
        db,
        """SELECT job_id, sequence_number, target, held.reason, held_at, is_released
               FROM latency_mirror_held AS held JOIN latency_jobs ON id = job_id ORDER BY held_at DESC, job_id, sequence_number""",
        row=lambda row: {**row, "is_released": bool(row["is_released"])},
    )


def job(db: Database, job_id: int, now: datetime | None) -> dict[str, Any]:
    """One job.

    Raises:
        UsageError: there is none with this id.
    """
    for row in db.query(f"{_JOBS} WHERE id = ?", [to_text(now) if now else None, job_id]):
        return _with_flags(row)
    raise UsageError(f"no job {job_id}; `pollctl latency jobs` lists them")


def samples(db: Database, job_id: int, *, limit: int | None = None) -> list[dict[str, Any]]:
    """The samples of a job, the newest first; only so many where *limit* says so."""
    columns = ", ".join(SAMPLE_COLUMNS)
    statement = f"SELECT {columns} FROM latency_samples WHERE job_id = ? ORDER BY sequence_number DESC LIMIT ?"  # noqa: S608 - own names
    return list(db.query(statement, [job_id, -1 if limit is None else limit]))


def points(db: Database, job_id: int, since: datetime) -> list[Point]:
    """The samples of a job since a moment that say something about its target, as the report draws them."""
    rows = db.execute(
        """SELECT recorded_at, rtt_ms FROM latency_samples
           WHERE job_id = ? AND recorded_at >= ? AND status <> 'system_error'""",
        [job_id, to_text(since)],
    )
    return [(from_text(recorded_at), rtt_ms) for recorded_at, rtt_ms in rows.fetchall()]


def alerts(db: Database) -> sql.Listing:
    """All alerts, the newest first."""
    statement = """SELECT alert.id, job_id, target, alert_type, triggered_at FROM latency_alerts AS alert
        JOIN latency_jobs AS job ON job.id = job_id ORDER BY alert.id DESC"""
    return sql.Listing(db, statement, row=_shown)


def last_rtts(db: Database) -> list[tuple[int, str, float | None]]:
    """Id, target and latest round-trip time in ms of the running jobs."""
    rows = db.execute(
        """SELECT id, target, (SELECT rtt_ms FROM latency_samples
               WHERE job_id = job.id AND status = 'success' ORDER BY sequence_number DESC)
           FROM latency_jobs AS job WHERE status = 'running' ORDER BY id"""
    )
    return [(job_id, split_login(target)[0], rtt_ms) for job_id, target, rtt_ms in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row without a login that another program may have put into its target."""
    return {**row, "target": split_login(row["target"])[0]}


def _with_flags(row: dict[str, Any]) -> dict[str, Any]:
    return {**_shown(row), **{flag: bool(row[flag]) for flag in _FLAGS}}


def nothing_due(db: Database) -> str:
    """Why there may be nothing to probe: no job, or none before a moment."""
    number, at = db.execute(
        """SELECT count(*), min(coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', last_ping_at, '+' || cadence_seconds || ' seconds'),
           started_at)) FROM latency_jobs WHERE status = 'running'"""
    ).fetchone()
    if not number:
        return "no job is running; `pollctl latency add TARGET` starts one"
    return f"{number} running, none due before {at}"


def unsampled(db: Database, settings: Settings, now: datetime) -> list[str]:
    """What `check` warns of: jobs that have nobody to ask, and stale ones, as nobody seems to sample them."""
    found = []
    if not settings.base_url and (unaskable := _running_api_jobs(db)):
        found.append(f"base_url is not set, so that nothing samples job {', '.join(map(str, unaskable))} by api")
    if notice := stale_notice(db, now):
        found.append(f"{notice}; does anybody run latency? `pollctl why latency`")
    return found


def _running_api_jobs(db: Database) -> list[int]:
    rows = db.execute(
        """SELECT id FROM latency_jobs WHERE status = 'running' AND probe = 'api' AND monitoring_mode = 'real_polling'
           ORDER BY id"""
    )
    return [job_id for (job_id,) in rows]
