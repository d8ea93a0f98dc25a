"""The values that travel, and how they are recorded."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from plugins.latency.values import MISS, NOON, measurement_of
from plugins.latency.world import World

from pollctl.units import encode
from pollctl_latency.model import Decision, Round
from pollctl_latency.store.load import load


def test_state_batch_and_decisions_survive_json(world: World) -> None:
    job_id = world.add_job(alert_offline=1)
    world.sample(job_id, [10.0, MISS, MISS, MISS, MISS])
    measured = measurement_of(job_id, MISS, NOON + timedelta(minutes=30))
    batch = Round(measurements=[measured], finished=[job_id], prunable=[job_id])
    state = load(world.db, batch)
    decisions = world.decide_round(batch, NOON + timedelta(hours=2))

    for value, kind in ((batch, Round), (state, type(state)), (list(decisions), list[Decision])):
        text = msgspec.json.encode(value, enc_hook=encode)
        assert msgspec.json.decode(text, type=kind) == value
    assert [type(decision).__name__ for decision in decisions] == [
        "AddSample", "ChangeAlertState", "CompleteJob", "PruneSamples",
    ]  # fmt: skip


def test_recordings_of_earlier_versions_are_still_read() -> None:
    recorded = b'{"readings":[{"job_id":1,"status":"missed","started_at":"2026-03-08T12:00:00Z","why":"missed"}]}'
    batch = Round(measurements=[measurement_of(1, MISS, NOON)])

    assert msgspec.json.decode(recorded, type=Round) == batch
    assert msgspec.json.decode(msgspec.json.encode(batch), type=Round) == batch
