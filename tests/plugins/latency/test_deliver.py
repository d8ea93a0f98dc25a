"""What a recipient reads: since when, how long, why, on which host, which job (people.md 9 and 12)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from plugins.latency.values import ERROR, MISS, NOON
from plugins.latency.world import World

from pollctl_latency.model import Round

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ORIGIN = "latency on probe.example, job 1 (api, every 1 min)"


def test_an_outage_is_told_since_its_first_miss_with_its_cause(world: World) -> None:
    job_id = world.add_job(alert_offline=1)
    world.sample(job_id, [20.0, MISS, MISS, ERROR, MISS, MISS, MISS])
    (message,) = world.run.messages
    assert message.title == "192.0.2.7 is offline since 12:01:00 UTC (5 misses in a row: missed)"
    assert (message.body, message.level) == (f"Noticed after 5 min.\n{ORIGIN}", "failure")


def test_a_recovery_is_told_since_the_first_answer_and_how_long_it_was_offline(world: World) -> None:
    job_id = world.add_job(alert_offline=1, alert_recovery=1)
    world.run.timezone = AMSTERDAM
    world.sample(job_id, [20.0, *[MISS] * 5, 20.0, MISS, *[20.0] * 5])
    message = world.run.messages[-1]
    assert (message.title, message.level) == ("192.0.2.7 is back after 7 min", "success")
    assert message.body == f"It answers again since 13:08:00 CET; it was offline since 13:01:00 CET (missed).\n{ORIGIN}"


def test_a_job_that_only_asks_for_recoveries_hears_how_long_it_was_offline_too(world: World) -> None:
    job_id = world.add_job(alert_recovery=1)
    world.sample(job_id, [*[MISS] * 5, *[20.0] * 5])
    assert world.run.messages[-1].title == "192.0.2.7 is back after 5 min"


def test_a_recovery_from_an_outage_that_an_earlier_version_noticed_is_told_without_its_length(world: World) -> None:
    job_id = world.add_job(alert_recovery=1, alert_state="offline_alerted")
    world.sample(job_id, [20.0] * 5)
    assert world.run.messages[-1].title == "192.0.2.7 is back"
    assert world.run.messages[-1].body == f"It answers again since 12:00:00 UTC.\n{ORIGIN}"


def test_a_verdict_is_told_with_what_it_rests_on(world: World) -> None:
    job_id = world.add_job()
    world.run.timezone = AMSTERDAM
    world.sample(job_id, [MISS] * 5 + [20.0, 22.0, 20.0, 22.0, 20.0])
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    (message,) = world.run.messages
    assert (message.key, message.title, message.level) == (
        "completion:1",
        "192.0.2.7: fail: 5 of 10 probes lost (limit 2 %)",
        "failure",
    )
    assert message.body == (
        "5 of 10 probes lost (50 %), 1 outage.\n"
        "95 of 100 answers within 22 ms; mean jitter 2 ms.\n"
        f"Sampled from 2026-03-08 13:00 CET to 2026-03-08 15:00 CET.\n{ORIGIN}"
    )


def test_without_an_answer_nothing_is_said_of_answers(world: World) -> None:
    for outcomes in ([], [ERROR]):
        job_id = world.add_job()
        world.sample(job_id, outcomes)
        world.decide_round(Round(finished=[job_id]), NOON + timedelta(hours=2))
    assert [message.title for message in world.run.messages] == [
        "192.0.2.7: no data: no sample was taken",
        "192.0.2.7: unreliable: 1 of 1 sample could not be taken (system_error)",
    ]
    firsts = [message.body.splitlines()[0] for message in world.run.messages]
    assert firsts == ["There was no probe.", "No probe could be made."]
    assert "None" not in str(world.run.messages)


# rules 9a and 10


@pytest.mark.parametrize(
    ("zone", "cadence", "text"),
    [
        ("Europe/Amsterdam", 60, "db:5432 is offline since 13:01:00 CET (5 misses in a row: connection refused)"),
        ("Asia/Dubai", 60, "db:5432 is offline since 16:01:00 Asia/Dubai (5 misses in a row: connection refused)"),
        ("UTC", 43_200, "db:5432 is offline since 2026-03-09 00:00 UTC (5 misses in a row: connection refused)"),
    ],
    ids=["on the same day", "a zone without a short name", "days ago"],
)
def test_an_outage_is_told_since_the_first_miss_with_the_cause_of_that_miss(
    world: World, zone: str, cadence: int, text: str
) -> None:
    job_id = world.add_job(target="db:5432", probe="tcp", alert_offline=1)
    world.run.timezone = ZoneInfo(zone)
    world.sample(job_id, [20.0, MISS, ERROR, MISS, MISS, MISS, MISS], every=cadence, causes={1: "connection refused"})
    assert world.run.messages[-1].title == text


def test_a_recovery_says_how_long_it_took(world: World) -> None:
    job_id = world.add_job(target="db:5432", alert_recovery=1)
    world.sample(job_id, [MISS] * 7 + [20.0] * 5, every=36)
    assert world.run.messages[-1].title == "db:5432 is back after 4 min 12 s"


def test_blindness_is_told_once_and_again_when_it_can_measure(world: World) -> None:
    job_id = world.add_job(target="db:5432")
    world.run.timezone = AMSTERDAM
    world.db.table("latency_notify").insert({"job_id": job_id, "url": "json://127.0.0.1/crew"})
    world.sample(job_id, [20.0, *[ERROR] * 8, MISS, *[ERROR] * 4, 20.0], causes={1: "no network here"})
    assert [(message.title, message.level, message.to) for message in world.run.messages] == [
        (
            "db:5432 cannot be measured since 13:01:00 CET (5 samples in a row could not be taken: no network here)",
            "warning",
            ["json://127.0.0.1/crew"],
        ),
        ("db:5432 can be measured again after 8 min", "success", ["json://127.0.0.1/crew"]),
    ]
    assert world.run.messages[0].body.startswith("Whether it is up is not known.\n")
    assert world.run.messages[1].body.startswith("It could not be since 13:01:00 CET.\n")
    assert world.rows("SELECT alert_type FROM latency_alerts") == [("blind",), ("seeing",)]


@pytest.mark.parametrize(
    ("flag", "has_recipient", "is_told"),
    [(None, False, False), (None, True, True), (0, True, False), (1, False, True)],
    ids=["nobody to tell", "somebody to tell", "not wanted", "wanted"],
)
def test_blindness_is_told_where_there_is_a_recipient_unless_the_job_says_otherwise(
    world: World, flag: int | None, has_recipient: bool, is_told: bool
) -> None:
    job_id = world.add_job(alert_blind=flag)
    if has_recipient:
        world.db.table("latency_notify").insert({"job_id": job_id, "url": "json://127.0.0.1/crew"})
    world.sample(job_id, [ERROR] * 5)
    assert len(world.run.messages) == is_told
    assert world.rows("SELECT is_blind FROM latency_jobs") == [(1,)]


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([20.0] * 449 + [ERROR] * 31, "unreliable: 31 of 480 samples could not be taken (no network here)"),
        ([ERROR] * 5, "unreliable: 5 of 5 samples could not be taken (no network here)"),
        ([MISS] * 5, "fail: 5 of 5 probes lost (limit 2 %)"),
        ([20.0, 140.0] * 10, "fail: p95 140 ms (limit 100 ms), mean jitter 120 ms (limit 30 ms)"),
        ([20.0], "pass: 0 of 1 probe lost"),
        ([], "no data: no sample was taken"),
    ],
    ids=["some could not be taken", "none could", "no success", "two limits exceeded", "a single success", "nothing"],
)
def test_a_completion_names_verdict_and_why(world: World, outcomes: list[Any], text: str) -> None:
    job_id = world.add_job(duration_seconds=86_400)
    world.sample(job_id, outcomes, causes=dict.fromkeys(range(480), "no network here"))
    world.decide_round(Round(finished=[job_id]), NOON + timedelta(days=2))
    (message,) = [message for message in world.run.messages if message.key.startswith("completion")]
    assert message.title == f"192.0.2.7: {text}"
    assert not re.search("unknown|None", message.title + message.body)
