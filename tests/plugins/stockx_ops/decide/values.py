"""Jobs, and what the upstream answers about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pollctl_stockx_ops.decide import decide
from pollctl_stockx_ops.model import (
    Account,
    Batch,
    Decision,
    Job,
    Response,
    Settings,
    State,
)

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
V2 = Settings()
OPERATIONS = Settings(dialect="operations")
ALLOWED, MS = timedelta(minutes=15), timedelta(milliseconds=1)
LATE = NOON - ALLOWED - MS


def job(**changes: Any) -> Job:
    facts: dict[str, Any] = {
        "id": "j1",
        "user_id": "anna",
        "job_type": "create_listing",
        "status": "PENDING",
        "operation_id": "op-1",
        "listing_id": "L1",
        "started_at": NOON - timedelta(minutes=1),
        "attempt": 1,
    }
    return Job(**{**facts, **changes})


def response(**facts: Any) -> Response:
    return Response(**{"job_id": "j1", "attempt": 1, "connection": 1, "status": 200, **facts})


def decided(
    *responses: Response, settings: Settings = V2, jobs: tuple[Job, ...] = (), **changes: Any
) -> list[Decision]:
    all_jobs = {each.id: each for each in jobs or (job(**changes),)}
    state = State(
        jobs=all_jobs, accounts={"anna": Account(status="ACTIVE", connection=1)}, recipients={"anna": ["crew"]}
    )
    return decide(state, Batch(responses=list(responses)), NOON, settings)


def only(decisions: list[Decision]) -> Any:
    (decision,) = decisions
    assert decision.reason
    return decision
