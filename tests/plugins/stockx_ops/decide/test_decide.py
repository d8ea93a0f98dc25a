"""What holds of all decisions, whatever is answered."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.stockx_ops.decide.values import NOON, OPERATIONS, decided, job, only, response

from pollctl import Answer, Request, Secret, testing
from pollctl.passes.report import recorded
from pollctl_stockx_ops.client.responses import read
from pollctl_stockx_ops.decide import decide
from pollctl_stockx_ops.model import (
    Account,
    Batch,
    CompleteJob,
    Day,
    DayCounts,
    Decision,
    DueJob,
    Hold,
    KeepTokens,
    Login,
    Pace,
    State,
    Tokens,
)

# rule 10


@pytest.mark.parametrize(
    "changes", [{"status": "COMPLETED"}, {"status": "FAILED"}, {"status": "PARTIAL"}, {"attempt": 2}]
)
def test_an_answer_about_a_job_that_ended_or_was_retried_meanwhile_changes_nothing(changes: Any) -> None:
    assert decided(response(word="SUCCEEDED"), **changes) == []


# properties

words = st.sampled_from(["queued", "processing", "completed", "failed", "partial_success", "odd"])
answers = st.one_of(
    st.builds(lambda word: {"word": word}, words),
    st.builds(
        lambda status, others: {"status": status, "error": f"HTTP {status}", "is_singled_out": others},
        st.sampled_from([0, 200, 400, 401, 403, 404, 422, 429, 500, 503]),
        st.booleans(),
    ),
)
TERMINAL = ("COMPLETED", "FAILED", "PARTIAL")
ENDS = {"completed": "COMPLETED", "failed": "FAILED", "partial_success": "PARTIAL"}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
result_fields = st.dictionaries(st.sampled_from(["id", "amount", "currencyCode", "expiresAt"]), anything)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(list(ENDS)), result_fields | anything, anything, st.integers(0, 200_000))
def test_a_terminal_word_always_ends_a_job_whatever_stands_beside_it_and_however_late_it_comes(
    word: str, result: Any, error: Any, age_s: int
) -> None:
    body = json.dumps({"status": word, "result": result, "error": error}).replace("NaN", "null")
    body = body.replace("-Infinity", "null").replace("Infinity", "null")
    answer = Answer(request=Request(url="http://x/"), started_at=NOON, elapsed_ms=1, status=200, body=body.encode())
    asked = DueJob("j1", 1, "anna", "op-1", "L1", "2026")
    said = read(answer, asked, Login("anna", 1, None, None, None), NOON, OPERATIONS)
    end = only(decided(said, settings=OPERATIONS, started_at=NOON - timedelta(seconds=age_s)))
    if isinstance(end, CompleteJob):
        assert ENDS[word] == ("PARTIAL" if end.is_partial else "COMPLETED")
    else:
        assert (ENDS[word], end.is_timeout) == ("FAILED", False)


@settings(deadline=None, max_examples=200)
@given(answers, st.sampled_from([0, 14, 15, 16]), st.sampled_from(["PENDING", "IN_PROGRESS", *TERMINAL]))
def test_whatever_is_answered_decide_is_pure_and_survives_a_recording(answer: Any, minutes: int, status: Any) -> None:
    state = State(
        jobs={"j1": job(status=status, started_at=NOON - timedelta(minutes=minutes))},
        accounts={"anna": Account(status="ACTIVE", connection=1)},
        summaries={"anna": DayCounts(jobs=1, completed=0, partial=0, failed=0, timed_out=0, open=1)},
    )
    batch = Batch(
        responses=[response(**answer)],
        overdue=["j1"],
        holds=[Hold(host="127.0.0.1", until=NOON)],
        day=Day(name="2026-03-07", starts_at=NOON, ends_at=NOON),
        pace=Pace(boot_id="b", last_start=1.5),
    )
    assert testing.impurities(decide, state, batch, NOON, OPERATIONS) == []
    for value, kind in ((state, State), (batch, Batch), (decide(state, batch, NOON, OPERATIONS), list[Decision])):
        assert testing.round_trip_problems(value, kind) == []


def test_a_recording_of_tokens_holds_none() -> None:
    tokens = Tokens(
        user_id="anna", connection=1, access_token=Secret("tok-1a"), refresh_token=Secret("tok-2b"), expires_at=None
    )
    text = recorded(Batch(tokens=[tokens])) + recorded([KeepTokens(tokens=tokens, reason="fresh")])
    assert "tok-1a" not in text
    assert "tok-2b" not in text
    assert testing.read_back(recorded(Batch(tokens=[tokens])), Batch).tokens[0].user_id == "anna"


def test_a_batch_is_recorded_by_the_names_that_earlier_versions_gave_its_fields() -> None:
    batch = Batch(responses=[response(status=503, error="HTTP 503")])
    earlier = '{"replies": [{"job_id": "j1", "attempt": 1, "connection": 1, "status": 503, "trouble": "HTTP 503"}]}'
    assert testing.read_back(earlier, Batch) == batch
    assert '"replies":[' in recorded(batch)
    assert '"trouble":"HTTP 503"' in recorded(batch)
