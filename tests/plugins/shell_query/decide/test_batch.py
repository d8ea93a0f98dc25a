"""What a batch changes besides polls: starts, sweeps, the reconciler (rules 1, 2, 12 and 14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plugins.shell_query.decide.values import EXACT, at, job
from plugins.shell_query.place import NOON

from pollctl_shell_query.decide import decide
from pollctl_shell_query.model import (
    Batch,
    Definition,
    DeleteDefinition,
    FailRun,
    ResumePolling,
    Settings,
    StartRun,
    State,
)

# rules 1, 2 and 12


def test_as_many_runs_are_started_as_there_is_room_for() -> None:
    waiting = [f"w{number}" for number in range(5)]
    jobs = {name: job(id=name, status="queued", task_id=None, is_polled=False) for name in waiting}
    few = Settings(max_active=4)
    decisions = decide(State(jobs=jobs, active=2), Batch(waiting=waiting), NOON, few)
    assert [decision.run_id for decision in decisions if isinstance(decision, StartRun)] == ["w0", "w1"]
    assert decide(State(jobs=jobs, active=4), Batch(waiting=waiting), NOON, few) == []


def test_a_run_cancelled_meanwhile_is_not_started() -> None:
    jobs = {"r1": job(status="canceled", is_polled=False)}
    assert decide(State(jobs=jobs), Batch(waiting=["r1"]), NOON, EXACT) == []


def test_a_start_that_was_given_up_fails_the_run_with_its_reason() -> None:
    state = State(jobs={"r1": job(status="queued", is_polled=False)}, failed_starts={"r1": "no answer"})
    (ended,) = decide(state, Batch(failed_starts=["r1"]), NOON, EXACT)
    assert isinstance(ended, FailRun)
    assert ended.message == "Could not be started: no answer"


def test_only_old_definitions_of_ours_that_nobody_needs_are_swept() -> None:
    def one(key: str, hours: float) -> Definition:
        return Definition(object_id=f"o {key}", customer_key=key, created_at=NOON - timedelta(hours=hours))

    found = [
        one("pollctl_old", 24.001),
        one("pollctl_exact", 24),
        one("pollctl_alive", 48),
        one("another_old", 48),
        Definition(object_id="o ?", customer_key="pollctl_when", created_at=None),
    ]
    decisions = decide(State(needed_keys=["pollctl_alive"]), Batch(definitions=found), NOON, EXACT)
    assert [one.customer_key for one in decisions if isinstance(one, DeleteDefinition)] == ["pollctl_old"]


# rule 14


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_that_nobody_asks_about_is_taken_up_after_more_than_two_minutes(status: Any) -> None:
    state = State(jobs={"r1": job(status=status, is_polled=False)})
    assert decide(state, Batch(unpolled=["r1"]), at(120), EXACT) == []
    (resumed,) = decide(state, Batch(unpolled=["r1"]), at(120.001), EXACT)
    assert isinstance(resumed, ResumePolling)
    assert resumed.started_at == NOON


@pytest.mark.parametrize("facts", [{"task_id": None}, {"is_polled": True}, {"status": "ready"}])
def test_a_run_without_task_or_with_an_open_poll_or_an_end_is_left_alone(facts: dict[str, Any]) -> None:
    state = State(jobs={"r1": job(**{"is_polled": False, **facts})})
    assert decide(state, Batch(unpolled=["r1"]), at(600), EXACT) == []
