"""Rounds on real tables: what is written, together and once."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from plugins.latency.values import ERROR, MISS, NOON, measurement_of
from plugins.latency.world import World

from pollctl import to_text
from pollctl_latency.model import Round
from pollctl_latency.store.jobs import closed_jobs

LATER = NOON + timedelta(hours=2)


# rule 4


def test_a_sample_its_job_and_its_counters_are_written_together(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [20.0, MISS, ERROR, 25.0])

    assert world.rows(
        "SELECT sequence_number, status, rtt_ms, jitter_ms, recorded_at, reason FROM latency_samples"
    ) == [
        (0, "success", 20.0, None, "2026-03-08T12:00:00.000Z", None),
        (1, "missed", None, None, "2026-03-08T12:01:00.000Z", "missed"),
        (2, "system_error", None, None, "2026-03-08T12:02:00.000Z", "system_error"),
        (3, "success", 25.0, 5.0, "2026-03-08T12:03:00.000Z", None),
    ]
    assert world.rows("SELECT last_ping_at, success, missed, system_error FROM latency_jobs") == [
        ("2026-03-08T12:03:00.000Z", 2, 1, 1)
    ]
    assert world.run.stats["samples"] == 4


def test_numbers_go_on_where_another_program_left_them(world: World) -> None:
    job_id = world.add_job()
    world.db.execute(
        """INSERT INTO latency_samples (job_id, sequence_number, status, rtt_ms, recorded_at)
           VALUES (?, 41, 'success', 30, ?)""",
        [job_id, "2026-03-08T11:59:00Z"],
    )
    world.sample(job_id, [20.0])

    assert world.rows("SELECT sequence_number, jitter_ms FROM latency_samples ORDER BY 1 DESC LIMIT 1") == [(42, 10.0)]


def test_a_round_that_fails_writes_nothing(world: World) -> None:
    job_id = world.add_job()
    measurements = [measurement_of(job_id, -1.0, NOON)]

    with pytest.raises(sqlite3.IntegrityError):
        world.decide_round(Round(measurements=measurements))

    assert world.rows("SELECT last_ping_at, success FROM latency_jobs") == [(None, 0)]


def test_many_jobs_share_a_round(world: World) -> None:
    ids = [world.add_job(target=f"192.0.2.{n}") for n in range(50)]
    measurements = [measurement_of(n, float(n), NOON) for n in ids]
    world.decide_round(Round(measurements=measurements))

    assert world.rows("SELECT count(*), count(DISTINCT job_id), sum(rtt_ms) FROM latency_samples") == [
        (50, 50, sum(ids))
    ]


# rule 10


def test_an_outage_and_its_end_are_one_alert_each(world: World) -> None:
    job_id = world.add_job(alert_offline=1, alert_recovery=1)
    world.sample(job_id, [20.0] + [MISS] * 3 + [ERROR] + [MISS] * 9 + [21.0] * 2 + [ERROR] + [22.0] * 9)

    assert world.rows("SELECT alert_type, triggered_at FROM latency_alerts ORDER BY id") == [
        ("offline", "2026-03-08T12:06:00.000Z"),
        ("recovery", "2026-03-08T12:19:00.000Z"),
    ]
    assert [message.key for message in world.run.messages] == [
        "alert:1:offline:2026-03-08T12:06:00.000Z",
        "alert:1:recovery:2026-03-08T12:19:00.000Z",
    ]
    assert world.rows("SELECT alert_state FROM latency_jobs") == [("ok",)]


def test_without_the_flag_only_the_state_changes(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [MISS] * 5)

    assert world.rows("SELECT alert_state FROM latency_jobs") == [("offline_alerted",)]
    assert world.rows("SELECT * FROM latency_alerts") == []
    assert world.run.messages == []


def test_a_message_goes_to_all_recipients_of_the_job(world: World) -> None:
    job_id = world.add_job(alert_offline=1)
    for url in ("json://127.0.0.1/secret-one", "json://127.0.0.1/secret-two"):
        world.db.table("latency_notify").insert({"job_id": job_id, "url": url})
    world.sample(job_id, [MISS] * 5)

    (message,) = world.run.messages
    assert message.to == ["json://127.0.0.1/secret-one", "json://127.0.0.1/secret-two"]


# rules 2, 9 and 11


def test_completion_writes_the_verdict_the_roll_ups_and_one_notification(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0, 20.0, MISS, 40.0, ERROR, 30.0])
    world.decide_round(Round(finished=[job_id]), LATER)

    assert world.rows(
        """SELECT status, completed_at, verdict, success, missed, system_error, loss_percent,
           round(rtt_avg_ms, 2), rtt_median_ms, rtt_p95_ms, jitter_avg_ms, outages, longest_streak
           FROM latency_jobs"""
    ) == [("completed", to_text(LATER), "unreliable", 4, 1, 1, 20.0, 25.0, 25.0, 40.0, 40 / 3, 0, 1)]
    assert world.rows("SELECT bucket_start, success, missed, system_error FROM latency_rollups") == [
        ("2026-03-08T12:00:00.000Z", 3, 1, 1),
        ("2026-03-08T12:05:00.000Z", 1, 0, 0),
    ]
    (message,) = world.run.messages
    assert (message.key, message.to) == ("completion:1", [])
    assert message.title == "192.0.2.7: unreliable: 1 of 6 samples could not be taken (system_error)"


def test_a_second_completion_adds_no_roll_up_and_no_notification(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0])
    for _ in range(2):
        world.db.execute("UPDATE latency_jobs SET status = 'running'")
        world.decide_round(Round(finished=[job_id]), LATER)

    assert world.rows("SELECT count(*) FROM latency_rollups") == [(1,)]
    assert len(world.run.messages) == 1


def test_a_cancelled_job_keeps_its_status_gets_its_numbers_and_notifies_nobody(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0])
    world.db.execute("UPDATE latency_jobs SET status = 'cancelled'")
    assert [job.id for job in closed_jobs(world.db)] == [job_id]
    world.decide_round(Round(finished=[job_id]), LATER)

    assert world.rows("SELECT status, verdict, completed_at FROM latency_jobs") == [("cancelled", "pass", None)]
    assert world.rows("SELECT count(*) FROM latency_rollups") == [(1,)]
    assert (world.run.messages, closed_jobs(world.db)) == ([], [])
