"""Raw samples: deleted after their time, in steps."""

from __future__ import annotations

from datetime import timedelta

from plugins.latency.values import NOON
from plugins.latency.world import World

from pollctl_latency.model import Round, Settings
from pollctl_latency.store.pruning import PRUNED_AT_ONCE, prunable_jobs

LATER = NOON + timedelta(hours=2)

# rule 11


def test_raw_samples_go_after_their_time_and_only_once_rolled_up(world: World) -> None:
    done, running = world.add_job(), world.add_job(target="192.0.2.8", duration_seconds=86_400)
    for job_id in (done, running):
        world.sample(job_id, [10.0, 20.0, 30.0])
    world.decide_round(Round(finished=[done]), LATER)
    keep = Settings().keep_samples
    second = NOON + timedelta(seconds=60)

    assert prunable_jobs(world.db, NOON) == []
    assert prunable_jobs(world.db, second) == [done]
    world.decide_round(Round(prunable=[done]), second + keep)
    assert world.rows("SELECT job_id, min(sequence_number), count(*) FROM latency_samples GROUP BY 1") == [
        (done, 1, 2),
        (running, 0, 3),
    ]
    assert world.rows("SELECT count(*) FROM latency_rollups") == [(1,)]


def test_pruning_goes_in_steps(world: World) -> None:
    job_id = world.add_job(status="completed", is_rolled_up=1, success=PRUNED_AT_ONCE + 5)
    world.db.execute(
        """WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO latency_samples
           SELECT ?, i, 'success', 1, NULL, '2026-01-01T00:00:00.000Z', NULL, NULL FROM n""",
        [PRUNED_AT_ONCE + 4, job_id],
    )
    left = []
    while ids := prunable_jobs(world.db, NOON):
        world.decide_round(Round(prunable=ids), NOON + Settings().keep_samples)
        left += world.rows("SELECT count(*) FROM latency_samples")

    assert left == [(5,), (0,)]
