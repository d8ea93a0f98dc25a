"""What a recipient reads: since when, how long, why, on which host, which job (people.md 9 and 12)."""

from __future__ import annotations

from datetime import timedelta

from plugins.latency.values import ERROR, MISS, NOON
from plugins.latency.world import World

from pollctl_latency.model import Round

ORIGIN = "latency on probe.example, job 1 (api, every 1 min)"


def test_an_outage_is_told_since_its_first_miss_with_its_cause(world: World) -> None:
    job_id = world.add_job(alert_offline=1)
    world.sample(job_id, [20.0, MISS, MISS, ERROR, MISS, MISS, MISS])
    (message,) = world.run.messages
    assert (message.title, message.level) == ("192.0.2.7 is offline", "failure")
    assert message.body == f"No answer since 2026-03-08 12:01 UTC (5 min), 5 probes in a row: missed.\n{ORIGIN}"


def test_a_recovery_is_told_since_the_first_answer_and_how_long_it_was_offline(world: World) -> None:
    job_id = world.add_job(alert_offline=1, alert_recovery=1)
    world.sample(job_id, [20.0, *[MISS] * 5, 20.0, MISS, *[20.0] * 5])
    message = world.run.messages[-1]
    assert (message.title, message.level) == ("192.0.2.7 has recovered", "success")
    assert message.body == (
        "It answers again since 2026-03-08 12:08 UTC.\n"
        f"It was offline for 7 min, since 2026-03-08 12:01 UTC: missed.\n{ORIGIN}"
    )


def test_a_job_that_only_asks_for_recoveries_hears_how_long_it_was_offline_too(world: World) -> None:
    job_id = world.add_job(alert_recovery=1)
    world.sample(job_id, [*[MISS] * 5, *[20.0] * 5])
    assert "It was offline for 5 min, since 2026-03-08 12:00 UTC" in world.run.messages[-1].body


def test_a_recovery_whose_misses_were_pruned_is_told_without_them(world: World) -> None:
    job_id = world.add_job(alert_offline=1, alert_recovery=1)
    world.sample(job_id, [MISS] * 5)
    world.db.execute("DELETE FROM latency_samples")
    world.sample(job_id, [20.0] * 5)
    assert world.run.messages[-1].title == "192.0.2.7 has recovered"
    assert world.run.messages[-1].body.endswith(f"UTC.\n{ORIGIN}")
    assert "offline" not in world.run.messages[-1].body


def test_a_verdict_is_told_with_what_it_rests_on(world: World) -> None:
    job_id = world.add_job()
    world.sample(job_id, [MISS] * 5 + [20.0, 22.0, 20.0, 22.0, 20.0])
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    (message,) = world.run.messages
    assert (message.key, message.title, message.level) == ("completion:1", "192.0.2.7: fail", "failure")
    assert message.body == (
        "5 of 10 probes lost (50 %), 1 outage.\n"
        "95 of 100 answers within 22 ms; mean jitter 2 ms.\n"
        f"Sampled from 2026-03-08 12:00 UTC to 2026-03-08 14:00 UTC.\n{ORIGIN}"
    )


def test_without_an_answer_nothing_is_said_of_answers(world: World) -> None:
    for outcomes in ([], [ERROR]):
        job_id = world.add_job()
        world.sample(job_id, outcomes)
        world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    assert [message.title for message in world.run.messages] == ["192.0.2.7: no data", "192.0.2.7: unreliable"]
    firsts = [message.body.splitlines()[0] for message in world.run.messages]
    assert firsts == ["There was no probe.", "No probe could be made."]
    assert "None" not in str(world.run.messages)
