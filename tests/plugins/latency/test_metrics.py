"""What Prometheus sees of latency."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from plugins.latency.values import NOON
from plugins.latency.world import World
from prometheus_client import CollectorRegistry, generate_latest

from pollctl_latency.metrics import families
from pollctl_latency.model import Round


def exposed(world: World, now: datetime) -> list[str]:
    class Collector:
        def collect(self) -> Any:
            return families(world.db, now)

    registry = CollectorRegistry(auto_describe=False)
    collector: Any = Collector()  # anything with collect() will do
    registry.register(collector)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_metrics_show_samples_jobs_stale_ones_round_trip_times_and_loss(world: World) -> None:
    done, running = world.add_job(target="alpha"), world.add_job(target='be"ta')
    world.sample(done, [10.0, "system_error"])
    world.sample(running, [25.0, "missed"])
    world.decide_round(Round(finished=[done]), NOON + timedelta(hours=2))

    assert exposed(world, NOON + timedelta(minutes=2)) == [
        'pollctl_latency_samples_total{status="success"} 2.0',
        'pollctl_latency_samples_total{status="missed"} 1.0',
        'pollctl_latency_samples_total{status="system_error"} 1.0',
        'pollctl_latency_jobs{status="running"} 1.0',
        'pollctl_latency_jobs{status="completed"} 1.0',
        'pollctl_latency_jobs{status="cancelled"} 0.0',
        'pollctl_latency_jobs{status="failed"} 0.0',
        "pollctl_latency_stale_jobs 0.0",
        'pollctl_latency_last_rtt_seconds{job="2",target="be\\"ta"} 0.025',
        'pollctl_latency_loss_ratio{job="2",target="be\\"ta"} 0.5',
    ]


def test_a_job_without_samples_is_stale(world: World) -> None:
    world.add_job()

    assert "pollctl_latency_stale_jobs 1.0" in exposed(world, NOON + timedelta(minutes=3))


def test_pruning_does_not_turn_the_counter_back(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [10.0, 20.0])
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    world.decide_round(Round(prunable=[job_id]), NOON + timedelta(days=99))

    assert world.rows("SELECT count(*) FROM latency_samples") == [(0,)]
    assert 'pollctl_latency_samples_total{status="success"} 2.0' in exposed(world, NOON)
