"""Jobs out of time (rule 2), with the exact boundaries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from plugins.stockx_ops.decide.values import ALLOWED, LATE, MS, NOON, OPERATIONS, V2, decided, job, only, response

from pollctl import PositiveDuration
from pollctl_stockx_ops.decide import decide, in_words
from pollctl_stockx_ops.model import (
    Account,
    Batch,
    CompleteJob,
    FailJob,
    PostponeJob,
    Settings,
    State,
)

# rule 2


def test_at_exactly_fifteen_minutes_a_job_is_not_timed_out_and_a_millisecond_later_it_is() -> None:
    kept = State(jobs={"j1": job(started_at=NOON - ALLOWED)})
    assert decide(kept, Batch(overdue=["j1"]), NOON, V2) == []

    late = State(jobs={"j1": job(started_at=LATE)})
    lost = only(decide(late, Batch(overdue=["j1"]), NOON, V2))
    assert (lost.error_code, lost.error_message) == ("timeout", "Operation timed out after 15 minutes")
    assert lost.is_timeout


@pytest.mark.parametrize(
    ("facts", "account", "settings"),
    [
        ({"asked_at": LATE + ALLOWED + MS}, "ACTIVE", V2),
        ({"listing_id": None}, "ACTIVE", V2),
        ({}, "BROKEN", V2),
        ({}, "EXPIRED", V2),
        ({}, "REVOKED", V2),
        ({}, None, V2),
    ],
    ids=str,
)
def test_a_job_out_of_time_fails_without_a_request_where_asking_once_more_is_useless_or_impossible(
    facts: Any, account: Any, settings: Settings
) -> None:
    accounts = {"anna": Account(status=account, connection=1)} if account else {}
    state = State(jobs={"j1": job(started_at=LATE, **facts)}, accounts=accounts)
    assert only(decide(state, Batch(overdue=["j1"]), NOON, settings)).is_timeout


@pytest.mark.parametrize("facts", [{}, {"asked_at": LATE + ALLOWED}, {"asked_at": LATE}], ids=str)
def test_any_other_job_out_of_time_is_asked_once_more(facts: Any) -> None:
    state = State(jobs={"j1": job(started_at=LATE, **facts)}, accounts={"anna": Account(status="ACTIVE", connection=1)})
    assert decide(state, Batch(overdue=["j1"]), NOON, V2) == []
    without_listing = State(jobs={"j1": job(started_at=LATE, listing_id=None)}, accounts=state.accounts)
    assert decide(without_listing, Batch(overdue=["j1"]), NOON, OPERATIONS) == []


@pytest.mark.parametrize("age", [ALLOWED + MS, timedelta(hours=24), timedelta(days=3)], ids=str)
def test_out_of_time_an_answered_end_is_believed_and_an_answer_that_is_no_end_is_the_time_out(age: timedelta) -> None:
    ends = [
        only(decided(response(word=word), settings=OPERATIONS, started_at=NOON - age))
        for word in ("completed", "partial_success", "failed", "processing", "odd")
    ]
    assert [type(end) for end in ends] == [CompleteJob, CompleteJob, FailJob, FailJob, FailJob]
    assert [end.is_timeout for end in ends[2:]] == [False, True, True]
    gone = only(decided(response(status=404, error="HTTP 404"), started_at=NOON - age))
    assert (gone.error_code, gone.is_timeout) == ("operation_not_found", False)


@pytest.mark.parametrize("status", [0, 200, 403, 429, 500, 503])
def test_out_of_time_what_says_nothing_puts_it_off_until_exactly_a_day_after_its_start(status: int) -> None:
    said = response(status=status, error="nothing usable")
    kept = only(decided(said, started_at=NOON - timedelta(hours=24)))
    assert isinstance(kept, PostponeJob)
    assert kept.is_rate_limited == (status == 429)
    assert only(decided(said, started_at=NOON - timedelta(hours=24) - MS)).is_timeout


def test_a_job_that_may_take_longer_than_a_day_is_put_off_after_a_day_too() -> None:
    patient = Settings(give_up_after=PositiveDuration(days=3))
    said = response(status=503, error="HTTP 503")
    assert isinstance(only(decided(said, settings=patient, started_at=NOON - timedelta(days=3))), PostponeJob)
    assert only(decided(said, settings=patient, started_at=NOON - timedelta(days=3) - MS)).is_timeout


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(900, "15 minutes"), (60, "1 minute"), (90, "90 seconds"), (7200, "2 hours"), (0.5, "0.5 seconds")],
)
def test_the_time_allowed_is_named_in_words(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
