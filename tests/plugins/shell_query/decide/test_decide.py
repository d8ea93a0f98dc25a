"""What holds of all rules, whatever the upstream answers."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.shell_query.decide.values import at, job, response
from plugins.shell_query.place import NOON

from pollctl import testing
from pollctl_shell_query.decide import decide
from pollctl_shell_query.model import (
    Batch,
    Decision,
    Definition,
    FailRun,
    FinishRun,
    Hold,
    Job,
    PollAgain,
    PollResponse,
    Rowset,
    Settings,
    State,
)

# of all rules

texts = st.text(st.characters(codec="utf-8"), max_size=30)
seconds = st.none() | st.floats(0, 1e6)
rowsets = st.none() | st.builds(Rowset, count=st.none() | st.integers(0, 2**63 - 1), error=texts, retry_after_s=seconds)
responses = st.builds(
    PollResponse,
    run_id=st.just("r1"),
    poll_count=st.just(3),
    request_error=st.just("") | texts,
    retry_after_s=seconds,
    is_token_refused=st.booleans(),
    status=st.sampled_from(["Queued", "Processing", "Complete", "Error", "Canceled", "Pending", ""]) | texts,
    error_message=st.just("") | texts,
    has_completed_date=st.booleans(),
    object_id=st.none() | texts,
    probe=rowsets,
    is_running=st.none() | st.booleans(),
    rest_error=texts,
    rowset=rowsets,
)
jobs = st.builds(
    job,
    status=st.sampled_from(["queued", "running", "ready", "failed", "canceled"]),
    is_own_target=st.booleans(),
    poll_count=st.just(3),
    first_false_at=st.none() | st.integers(0, 4000).map(at),
    confirmations=st.integers(0, 4),
    rowset_attempts=st.integers(0, 7),
    auth_failures=st.integers(0, 3),
)


@given(jobs, responses, st.floats(0, 4000))
@settings(max_examples=300, deadline=None)
def test_whatever_is_said_there_is_one_decision_with_a_reason_and_it_survives_a_recording(
    run: Job, answer: PollResponse, age: float
) -> None:
    batch = Batch(responses=[answer])
    decisions = decide(State(jobs={"r1": run}), batch, at(age), Settings())
    assert len(decisions) == 1
    assert testing.round_trip_problems(decisions, list[Decision]) == []
    if isinstance(decisions[0], FinishRun | FailRun | PollAgain):
        assert run.status == "running"
    if isinstance(decisions[0], PollAgain):
        assert at(age) < decisions[0].next_poll_at
        assert decisions[0].poll_count == 4
    if isinstance(decisions[0], FinishRun):
        assert decisions[0].row_count == answer.rowset.count  # type: ignore[union-attr]  # a probe alone is no end
    if isinstance(decisions[0], FailRun) and decisions[0].message == "auth_expired":
        assert run.auth_failures >= 2


def test_decide_is_pure() -> None:
    state = State(jobs={"r1": job(), "r2": job(id="r2", status="queued", is_polled=False)}, active=1)
    batch = Batch(
        responses=[response("Complete", rowset=Rowset(error="404"))],
        waiting=["r2"],
        holds=[Hold(upstream="soap x", until=at(90))],
        definitions=[Definition(object_id="o", customer_key="pollctl_x", created_at=NOON - timedelta(days=2))],
    )
    assert testing.impurities(decide, state, batch, at(20), Settings()) == []
