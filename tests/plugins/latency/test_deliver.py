"""Notifications: what a recipient reads, and where the address comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from plugins.latency.values import MISS, NOON
from plugins.latency.world import World

from pollctl import Effect
from pollctl_latency.deliver import deliver
from pollctl_latency.model import Round


def deliver_all(world: World) -> list[Any]:
    return [
        deliver(Effect(id=1, kind=kind, key=key, payload=payload, lane=lane, attempt=1, created_at=NOON), world.run)
        for kind, key, payload, lane in world.run.effects
    ]


def test_a_recipient_reads_which_target_since_when_and_how_it_did(world: World) -> None:
    job_id = world.add_job(alert_offline=1, alert_recovery=1)
    world.db.table("latency_notify").insert({"job_id": job_id, "url": "json://127.0.0.1/crew"})
    world.sample(job_id, [MISS] * 5 + [20.0, 22.0, 20.0, 22.0, 20.0])
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))

    assert deliver_all(world) == [{"sent": True}] * 3
    assert world.run.notified == [
        (
            "json://127.0.0.1/crew",
            "192.0.2.7 is offline",
            "Job 1, since the probe of 2026-03-08T12:04:00.000Z.",
            "alert:1:offline:2026-03-08T12:04:00.000Z:1",
        ),
        (
            "json://127.0.0.1/crew",
            "192.0.2.7 has recovered",
            "Job 1, since the probe of 2026-03-08T12:09:00.000Z.",
            "alert:1:recovery:2026-03-08T12:09:00.000Z:1",
        ),
        (
            "json://127.0.0.1/crew",
            "192.0.2.7: fail",
            "Job 1: 50.0% lost, 95 of 100 answers within 22.0 ms, mean jitter 2.0 ms, 1 outages.",
            "completion:1:1",
        ),
    ]


def test_numbers_that_are_missing_are_unknown(world: World) -> None:
    job_id = world.add_job()
    world.db.table("latency_notify").insert({"job_id": job_id, "url": "json://127.0.0.1/crew"})
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    deliver_all(world)

    ((_, title, body, _),) = world.run.notified
    assert title == "192.0.2.7: no_data"
    assert body == "Job 1: unknown lost, 95 of 100 answers within unknown, mean jitter unknown, 0 outages."


def test_an_address_that_is_gone_is_not_sent_to(world: World) -> None:
    job_id = world.add_job()
    world.db.table("latency_notify").insert({"job_id": job_id, "url": "json://127.0.0.1/crew"})
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    world.db.execute("DELETE FROM latency_notify")

    assert deliver_all(world) == [{"sent": False, "why": "no address"}]
    assert world.run.notified == []
