"""Jobs as rows: read for a pass, added and cancelled by a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import HttpUrl, PollctlError, Secret, counted, from_text, to_text
from pollctl_latency import queries
from pollctl_latency.client.targets import split_login
from pollctl_latency.model import Job, Limits, NewJob
from pollctl_latency.queries.turns import IN_TURN, NEXT_TURN

if TYPE_CHECKING:
    from sqlite_utils import Database

_JOB = """id, target, probe, monitoring_mode, status, cadence_seconds, duration_seconds, started_at,
    last_ping_at, alert_state, alert_offline, alert_recovery,
    success + missed + system_error AS sample_count,
    coalesce(alert_blind, EXISTS (SELECT 1 FROM latency_notify WHERE job_id = latency_jobs.id)), is_blind,
    max_loss_percent, max_p95_ms, max_jitter_ms, outage_length, family, expect"""


def jobs_in_turn(db: Database, now: datetime) -> list[Job]:
    """The running jobs that are due or over, or whose latest probe lies ahead; the others are not read, however many there are."""
    return _jobs(db, f"id IN ({IN_TURN})", to_text(now))


def next_turn(db: Database, now: datetime) -> datetime | None:
    """When the first of the others is due or over; None where there is no other."""
    (moment,) = db.execute(NEXT_TURN, [to_text(now)]).fetchone()
    return from_text(moment) if moment else None


def closed_jobs(db: Database) -> list[Job]:
    """Jobs that are no longer running and that have no roll-ups yet."""
    return _jobs(db, "status IN ('completed', 'cancelled', 'failed') AND is_rolled_up = 0")


def jobs_by_id(db: Database, ids: Iterable[int]) -> dict[int, Job]:
    """Some jobs, by their ids; those that are not there are left out."""
    rows = _jobs(db, "id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))
    return {job.id: job for job in rows}


def in_groups(sizes: Iterable[tuple[int, int]], limit: int) -> Iterator[list[int]]:
    """Ids in groups whose sizes add up to *limit* at most, unless one alone exceeds it."""
    group: list[int] = []
    total = 0
    for number, size in sizes:
        if group and total + size > limit:
            yield group
            group, total = [], 0
        group.append(number)
        total += size
    if group:
        yield group


def logins(db: Database, ids: Iterable[int]) -> dict[int, str]:
    """The logins of jobs whose targets have one, by id; from now on they are masked wherever secrets are."""
    rows = db.execute(
        """SELECT id, target, login FROM latency_jobs WHERE id IN (SELECT value FROM json_each(?))
           AND probe = 'http' AND target LIKE '%@%'""",
        [json.dumps(list(ids))],
    )
    found = {number: login or split_login(target)[1] for number, target, login in rows}
    for login in found.values():
        with suppress(ValueError):
            HttpUrl.parse(f"http://{login}@localhost")
    return found


def _jobs(db: Database, where: str, *values: str) -> list[Job]:
    rows = db.execute(f"SELECT {_JOB} FROM latency_jobs WHERE {where} ORDER BY id", values)  # noqa: S608 - own text
    return [_job(row) for row in rows]


def _job(row: Sequence[Any]) -> Job:
    return Job(
        id=row[0],
        target=split_login(row[1])[0],  # another program may have put a login there
        probe=row[2],
        monitoring_mode=row[3],
        status=row[4],
        cadence_seconds=row[5],
        duration_seconds=row[6],
        started_at=from_text(row[7]),
        last_ping_at=from_text(row[8]) if row[8] else None,
        alert_state=row[9],
        alert_offline=bool(row[10]),
        alert_recovery=bool(row[11]),
        sample_count=row[12],
        alert_blind=bool(row[13]),
        is_blind=bool(row[14]),
        limits=Limits(max_loss_percent=row[15], max_p95_ms=row[16], max_jitter_ms=row[17], outage_length=row[18]),
        family=row[19],
        expect=row[20],
    )


def add_job(db: Database, now: datetime, new: NewJob, addresses: Sequence[Secret], max_running: int) -> int:
    """Start a job, keep the addresses to notify of it, and return its id.

    Raises:
        PollctlError: one for the same target and probe is running, or as many as may be.
    """
    _refuse_second(db, new)
    if new.monitoring_mode == "real_polling":
        _refuse_too_many(db, max_running)
    row = {name: value for name, value in msgspec.structs.asdict(new).items() if value is not None}
    row |= {"login": new.login.reveal() or None, "started_at": to_text(now)}
    marks = ", ".join("?" for _ in row)
    cursor = db.execute(f"INSERT INTO latency_jobs ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608 - own names
    db.conn.executemany(
        "INSERT INTO latency_notify (job_id, url) VALUES (?, ?)",
        [(cursor.lastrowid, address.reveal()) for address in dict.fromkeys(addresses)],
    )
    return int(cursor.lastrowid or 0)


def _refuse_second(db: Database, new: NewJob) -> None:
    row = db.execute(
        "SELECT id FROM latency_jobs WHERE status = 'running' AND target = ? AND probe = ? AND coalesce(login, '') = ?",
        [new.target, new.probe, new.login.reveal()],
    ).fetchone()
    if row:
        raise PollctlError(
            f"job {row[0]} samples {new.target} by {new.probe} already; "
            f"wait for its end, or `pollctl latency cancel {row[0]}`"
        )


def _refuse_too_many(db: Database, max_running: int) -> None:
    running = db.execute(
        """SELECT count(*) FROM latency_jobs WHERE status = 'running' AND monitoring_mode = 'real_polling'
           AND NOT EXISTS (SELECT 1 FROM latency_mirror WHERE job_id = latency_jobs.id)"""
    ).fetchone()[0]
    if running >= max_running:
        raise PollctlError(
            f"{counted(running, 'job')} running, and max_running is {max_running}; cancel one, or raise it in [plugins.latency]"
        )


def cancel_job(db: Database, job_id: int) -> None:
    """Close a running job early; the next pass rolls up what it has.

    Raises:
        UsageError: there is no such job.
        PollctlError: it is not running.
    """
    status = queries.job(db, job_id, None)["status"]
    if status != "running":
        raise PollctlError(f"job {job_id} is {status}; only a running one can be cancelled")
    db.execute("UPDATE latency_jobs SET status = 'cancelled' WHERE id = ?", [job_id])
