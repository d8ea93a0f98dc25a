"""The tables, as other programs meet them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest
from plugins.latency.world import World
from sqlite_utils import Database

from pollctl_latency.migrations import migrations
from pollctl_latency.model import Limits
from pollctl_latency.store.jobs import jobs_in_turn

EVER = datetime(2301, 1, 1, tzinfo=UTC)


def test_a_target_is_all_that_another_program_must_say(world: World) -> None:
    world.db.execute("INSERT INTO latency_jobs (target) VALUES ('192.0.2.7')")
    (job,) = jobs_in_turn(world.db, EVER)

    assert (job.probe, job.cadence_seconds, job.duration_seconds, job.status) == ("api", 60, 3600, "running")


@pytest.mark.parametrize("moment", ["2026-03-08T12:00:00Z", "2026-03-08T12:00:00.5Z", "2026-03-08T12:00:00.123456Z"])
def test_moments_of_other_programs_may_have_fractions_or_none(world: World, moment: Any) -> None:
    world.add_job(started_at=moment)

    assert jobs_in_turn(world.db, EVER)[0].started_at.hour == 12


@pytest.mark.parametrize(
    "columns",
    [
        {"started_at": "2026-03-08 12:00:00"}, {"started_at": "2026-02-30T12:00:00Z"}, {"started_at": "noon"},
        {"started_at": "9999-12-31T12:00:00Z"}, {"started_at": "2026-03-08T12:00:00.x1Z"},
        {"started_at": "12:00:00Z"}, {"started_at": "2026-03-08T12:00:00+01:00Z"}, {"status": "paused"},
        {"monitoring_mode": "dry"}, {"probe": "udp"}, {"cadence_seconds": 0}, {"duration_seconds": 59},
        {"cadence_seconds": "often"}, {"target": ""}, {"target": None}, {"alert_state": "bad"},
        {"duration_seconds": 10**12},
    ],
    ids=lambda columns: " ".join(f"{key}={value}" for key, value in columns.items()),
)  # fmt: skip
def test_a_row_that_no_rule_could_read_is_refused_by_the_table(world: World, columns: dict[str, Any]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.add_job(**columns)


def test_what_fits_into_the_table_can_be_read_and_ends_within_time(world: World) -> None:
    world.add_job(started_at="2200-12-31T23:59:59.999Z", duration_seconds=3_153_600_000)

    assert jobs_in_turn(world.db, EVER)[0].ends_at.year == 2300


def test_what_an_earlier_version_wrote_is_kept_and_gets_the_limits_that_held() -> None:
    db = Database(memory=True)
    migrations.apply(db, stop_before="m004_limits")
    db.execute("INSERT INTO latency_jobs (target, alert_state) VALUES ('192.0.2.7', 'offline_alerted')")
    moment = "2026-03-08T12:00:00.000Z"
    db.execute(f"INSERT INTO latency_samples VALUES (1, 0, 'missed', NULL, NULL, '{moment}', 'no reply')")
    db.execute(f"INSERT INTO latency_alerts VALUES (7, 1, 'offline', '{moment}')")
    db.execute("INSERT INTO latency_notify (job_id, url) VALUES (1, 'json://127.0.0.1/x')")
    migrations.apply(db)

    (job,) = jobs_in_turn(db, EVER)
    assert (job.limits, job.family, job.expect, job.is_blind, job.alert_blind) == (Limits(), 0, "200-399", False, True)
    assert db.execute("SELECT reason, address FROM latency_samples").fetchall() == [("no reply", None)]
    assert db.execute("SELECT * FROM latency_alerts").fetchall() == [(7, 1, "offline", moment)]
    db.execute(f"INSERT INTO latency_alerts (job_id, alert_type, triggered_at) VALUES (1, 'blind', '{moment}')")
    assert db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'latency_alerts'"
    ).fetchall() == [("latency_alerts_by_job",)]
    db.close()


@pytest.mark.parametrize(
    "columns",
    [{"max_loss_percent": 101}, {"max_p95_ms": -1}, {"outage_length": 0}, {"family": 5}, {"alert_blind": 2}],
    ids=str,
)
def test_limits_that_no_rule_could_read_are_refused_by_the_table(world: World, columns: dict[str, Any]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.add_job(**columns)
