"""Rounds on real tables: what is written, together and once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pollctl import to_text
from pollctl.units import encode
from pollctl_latency.model import Decision, Reading, Round, Settings
from pollctl_latency.store import apply as store
from pollctl_latency.store.apply import PRUNED_AT_ONCE, filling, prunable

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOON + 2 * HOUR
MISS, ERROR = "missed", "system_error"


def test_a_sample_its_job_and_its_counters_are_written_together(world: Any) -> None:
    job_id = world.add_job()
    world.sample(job_id, [20.0, MISS, ERROR, 25.0])

    assert world.rows("SELECT sequence_number, status, rtt_ms, jitter_ms, recorded_at, error FROM latency_samples") == [
        (0, "success", 20.0, None, "2026-03-08T12:00:00.000Z", None),
        (1, "missed", None, None, "2026-03-08T12:01:00.000Z", "missed"),
        (2, "system_error", None, None, "2026-03-08T12:02:00.000Z", "system_error"),
        (3, "success", 25.0, 5.0, "2026-03-08T12:03:00.000Z", None),
    ]
    assert world.rows("SELECT last_ping_at, success, missed, system_error FROM latency_jobs") == [
        ("2026-03-08T12:03:00.000Z", 2, 1, 1)
    ]
    assert world.run.stats["samples"] == 4


def test_numbers_go_on_where_another_program_left_them(world: Any) -> None:
    job_id = world.add_job()
    world.db.execute(
        """INSERT INTO latency_samples (job_id, sequence_number, status, rtt_ms, recorded_at)
           VALUES (?, 41, 'success', 30, ?)""",
        [job_id, "2026-03-08T11:59:00Z"],
    )
    world.sample(job_id, [20.0])

    assert world.rows("SELECT sequence_number, jitter_ms FROM latency_samples ORDER BY 1 DESC LIMIT 1") == [(42, 10.0)]


def test_a_round_that_fails_writes_nothing(world: Any) -> None:
    job_id = world.add_job()
    readings = [Reading(job_id=job_id, status="success", started_at=NOON, rtt_ms=-1.0)]

    with pytest.raises(sqlite3.IntegrityError):
        world.play(Round(readings=readings))

    assert world.rows("SELECT last_ping_at, success FROM latency_jobs") == [(None, 0)]


def test_many_jobs_share_a_round(world: Any) -> None:
    ids = [world.add_job(target=f"192.0.2.{n}") for n in range(50)]
    readings = [Reading(job_id=n, status="success", started_at=NOON, rtt_ms=float(n)) for n in ids]
    world.play(Round(readings=readings))

    assert world.rows("SELECT count(*), count(DISTINCT job_id), sum(rtt_ms) FROM latency_samples") == [
        (50, 50, sum(ids))
    ]


# rule 10


def test_an_outage_and_its_end_are_one_alert_each(world: Any) -> None:
    job_id = world.add_job(alert_offline=1, alert_recovery=1)
    world.sample(job_id, [20.0] + [MISS] * 3 + [ERROR] + [MISS] * 9 + [21.0] * 2 + [ERROR] + [22.0] * 9)

    assert world.rows("SELECT alert_type, triggered_at FROM latency_alerts ORDER BY id") == [
        ("offline", "2026-03-08T12:06:00.000Z"),
        ("recovery", "2026-03-08T12:19:00.000Z"),
    ]
    assert [(kind, payload["alert_type"]) for kind, _, payload, _ in world.run.effects] == [
        ("alert", "offline"),
        ("alert", "recovery"),
    ]
    assert world.rows("SELECT alert_state FROM latency_jobs") == [("ok",)]


def test_without_the_flag_only_the_state_changes(world: Any) -> None:
    job_id = world.add_job()
    world.sample(job_id, [MISS] * 5)

    assert world.rows("SELECT alert_state FROM latency_jobs") == [("offline_alerted",)]
    assert world.rows("SELECT * FROM latency_alerts") == []
    assert world.run.effects == []


def test_each_recipient_is_one_effect_in_a_lane_of_its_own(world: Any) -> None:
    job_id = world.add_job(alert_offline=1)
    for url in ("json://127.0.0.1/secret-one", "json://127.0.0.1/secret-two"):
        world.db.table("latency_notify").insert({"job_id": job_id, "url": url})
    world.sample(job_id, [MISS] * 5)

    assert [(key.rsplit(":", 1)[1], lane) for _, key, _, lane in world.run.effects] == [
        ("1", "recipient:1"),
        ("2", "recipient:2"),
    ]
    assert "secret" not in repr(world.run.effects)


# rules 2, 9 and 11


def test_completion_writes_the_verdict_the_roll_ups_and_one_notification(world: Any) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0, 20.0, MISS, 40.0, ERROR, 30.0])
    world.play(Round(finished=[job_id]), LATER)

    assert world.rows(
        """SELECT status, completed_at, verdict, success, missed, system_error, loss_percent,
           round(rtt_avg_ms, 2), rtt_median_ms, rtt_p95_ms, jitter_avg_ms, outages, longest_streak
           FROM latency_jobs"""
    ) == [("completed", to_text(LATER), "unreliable", 4, 1, 1, 20.0, 25.0, 25.0, 40.0, 40 / 3, 0, 1)]
    assert world.rows("SELECT bucket_start, success, missed, system_error FROM latency_rollups") == [
        ("2026-03-08T12:00:00.000Z", 3, 1, 1),
        ("2026-03-08T12:05:00.000Z", 1, 0, 0),
    ]
    ((kind, key, payload, _),) = world.run.effects
    assert (kind, key, payload["recipient"], payload["verdict"]) == (
        "completion",
        "completion:1",
        None,
        "unreliable",
    )


def test_a_second_completion_adds_no_roll_up_and_no_notification(world: Any) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0])
    for _ in range(2):
        world.db.execute("UPDATE latency_jobs SET status = 'running'")
        world.play(Round(finished=[job_id]), LATER)

    assert world.rows("SELECT count(*) FROM latency_rollups") == [(1,)]
    assert len(world.run.effects) == 1


def test_a_cancelled_job_keeps_its_status_gets_its_numbers_and_tells_nobody(world: Any) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0])
    world.db.execute("UPDATE latency_jobs SET status = 'cancelled'")
    assert [job.id for job in store.closed_jobs(world.db)] == [job_id]
    world.play(Round(finished=[job_id]), LATER)

    assert world.rows("SELECT status, verdict, completed_at FROM latency_jobs") == [("cancelled", "pass", None)]
    assert world.rows("SELECT count(*) FROM latency_rollups") == [(1,)]
    assert (world.run.effects, store.closed_jobs(world.db)) == ([], [])


def test_raw_samples_go_after_their_time_and_only_once_rolled_up(world: Any) -> None:
    done, running = world.add_job(), world.add_job(target="192.0.2.8", duration_seconds=86_400)
    for job_id in (done, running):
        world.sample(job_id, [10.0, 20.0, 30.0])
    world.play(Round(finished=[done]), LATER)
    keep = Settings().keep_samples
    second = NOON + timedelta(seconds=60)

    assert prunable(world.db, NOON) == []
    assert prunable(world.db, second) == [done]
    world.play(Round(prunable=[done]), second + keep)
    assert world.rows("SELECT job_id, min(sequence_number), count(*) FROM latency_samples GROUP BY 1") == [
        (done, 1, 2),
        (running, 0, 3),
    ]
    assert world.rows("SELECT count(*) FROM latency_rollups") == [(1,)]


def test_pruning_goes_in_steps(world: Any) -> None:
    job_id = world.add_job(status="completed", is_rolled_up=1, success=PRUNED_AT_ONCE + 5)
    world.db.execute(
        """WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO latency_samples
           SELECT ?, i, 'success', 1, NULL, '2026-01-01T00:00:00.000Z', NULL FROM n""",
        [PRUNED_AT_ONCE + 4, job_id],
    )
    left = []
    while ids := prunable(world.db, NOON):
        world.play(Round(prunable=ids), NOON + Settings().keep_samples)
        left += world.rows("SELECT count(*) FROM latency_samples")

    assert left == [(5,), (0,)]


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [([], []), ([5, 5, 5], [[0, 1], [2]]), ([50, 1], [[0], [1]]), ([0] * 30, [list(range(30))])],
    ids=["nothing", "two fit", "one too large alone", "empty jobs"],
)
def test_groups_are_filled_up_to_a_limit(sizes: list[int], groups: list[list[int]]) -> None:
    assert list(filling(enumerate(sizes), 10)) == groups


# rows of other programs


def test_a_target_is_all_that_another_program_must_say(world: Any) -> None:
    world.db.execute("INSERT INTO latency_jobs (target) VALUES ('192.0.2.7')")
    (job,) = store.running_jobs(world.db)

    assert (job.probe, job.cadence_seconds, job.duration_seconds, job.status) == ("api", 60, 3600, "running")


@pytest.mark.parametrize("moment", ["2026-03-08T12:00:00Z", "2026-03-08T12:00:00.5Z", "2026-03-08T12:00:00.123456Z"])
def test_moments_of_other_programs_may_have_fractions_or_none(world: Any, moment: Any) -> None:
    world.add_job(started_at=moment)

    assert store.running_jobs(world.db)[0].started_at.hour == 12


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
def test_a_row_that_no_rule_could_read_is_refused_by_the_table(world: Any, columns: dict[str, Any]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        world.add_job(**columns)


def test_what_fits_into_the_table_can_be_read_and_ends_within_time(world: Any) -> None:
    world.add_job(started_at="2200-12-31T23:59:59.999Z", duration_seconds=3_153_600_000)

    assert store.running_jobs(world.db)[0].ends_at.year == 2300


# the values travel


def test_state_batch_and_decisions_survive_json(world: Any) -> None:
    job_id = world.add_job(alert_offline=1)
    world.sample(job_id, [10.0, MISS, MISS, MISS, MISS])
    reading = Reading(job_id=job_id, status="missed", started_at=NOON + HOUR / 2, why="lost")
    batch = Round(readings=[reading], finished=[job_id], prunable=[job_id])
    state = store.load(world.db, batch)
    decisions = world.play(batch, LATER)

    for value, kind in ((batch, Round), (state, type(state)), (list(decisions), list[Decision])):
        text = msgspec.json.encode(value, enc_hook=encode)
        assert msgspec.json.decode(text, type=kind) == value
    assert [type(decision).__name__ for decision in decisions] == [
        "AddSample", "ChangeAlertState", "CompleteJob", "PruneSamples",
    ]  # fmt: skip
