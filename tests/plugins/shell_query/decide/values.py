"""Runs, and what the upstream answers about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from plugins.shell_query.place import NOON

from pollctl_shell_query.decide import decide
from pollctl_shell_query.model import Batch, Job, PollAgain, PollResponse, Settings, State

EXACT = Settings(jitter=0.0)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def job(**facts: Any) -> Job:
    usual = {"id": "r1", "status": "running", "target": "DE", "is_own_target": False, "customer_key": "pollctl_1"}
    return Job(**{**usual, "task_id": "t", "object_id": "o", "started_at": NOON, "is_polled": True, **facts})


def response(status: str = "Queued", **facts: Any) -> PollResponse:
    return PollResponse(**{"run_id": "r1", "poll_count": 0, "status": status, **facts})


def judged(run: Job, answer: PollResponse, seconds: float, settings: Settings = EXACT) -> Any:
    """The one decision about one run."""
    batch = Batch(responses=[replace(answer, poll_count=run.poll_count)])
    (decision,) = decide(State(jobs={"r1": run}), batch, at(seconds), settings)
    return decision


def after(run: Job, again: PollAgain) -> Job:
    """The run as it stands after a poll."""
    return replace(
        run,
        poll_count=again.poll_count,
        next_poll_at=again.next_poll_at,
        object_id=run.object_id or again.object_id,
        first_false_at=again.first_false_at,
        confirmations=again.confirmations,
        rowset_attempts=again.rowset_attempts,
        probed_at=again.probed_at,
        auth_failures=again.auth_failures,
    )
