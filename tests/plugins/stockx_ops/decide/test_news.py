"""Who is told of what (rule 14)."""

from __future__ import annotations

from plugins.stockx_ops.decide.values import LATE, NOON, V2, decided, job, only, response

from pollctl_stockx_ops.decide import decide
from pollctl_stockx_ops.model import (
    Account,
    Batch,
    Expired,
    Settings,
    State,
)

# rule 14


def test_people_are_told_of_what_notify_on_names_alone() -> None:
    said = {
        "live": response(word="completed"),
        "failed": response(word="failed"),
        "partial": response(word="partial_success"),
    }
    for news in ("live", "failed", "partial", "auth", "daily"):
        quiet = Settings(dialect="operations", notify_on=(news,))
        told = [name for name, answer in said.items() if only(decided(answer, settings=quiet)).recipients is not None]
        assert told == [news] * (news in said)
    late = State(jobs={"j1": job(started_at=LATE)}, recipients={"anna": ["crew"]})
    assert only(decide(late, Batch(overdue=["j1"]), NOON, V2)).recipients == ["crew"]


def test_who_is_told_that_a_login_is_refused_is_not_told_of_its_job_as_well() -> None:
    refused = response(status=401, error="HTTP 401")
    lost, broken = decided(refused)
    assert (lost.recipients, broken.recipients) == (None, ["crew"])  # type: ignore[union-attr]
    lost, broken = decided(refused, settings=Settings(notify_on=("failed",)))
    assert (lost.recipients, broken.recipients) == (["crew"], None)  # type: ignore[union-attr]


def test_an_expired_login_is_told_of() -> None:
    state = State(accounts={"anna": Account(status="ACTIVE", connection=1)}, recipients={"anna": ["crew"]})
    batch = Batch(expired=[Expired(user_id="anna", connection=1)])
    assert only(decide(state, batch, NOON, V2)).recipients == ["crew"]
    assert only(decide(state, batch, NOON, Settings(notify_on=()))).recipients is None
