"""Logins that are refused, pauses, errors and walls (rules 7 to 9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from plugins.stockx_ops.decide.values import MS, NOON, V2, decided, job, only, response

from pollctl import PositiveDuration, Secret
from pollctl_stockx_ops.decide import decide
from pollctl_stockx_ops.model import (
    Account,
    Batch,
    BreakAccount,
    Expired,
    FailJob,
    PostponeJob,
    Settings,
    State,
    Tokens,
)

# rule 7


def test_a_refused_login_fails_one_job_and_breaks_the_account_however_many_jobs() -> None:
    jobs = (job(), job(id="j2"), job(id="j3"))
    responses = [response(job_id=each.id, status=401, error="HTTP 401") for each in jobs]
    lost, broken = decided(*responses, jobs=jobs)
    assert isinstance(lost, FailJob)
    assert (lost.job.id, lost.error_code, lost.error_message) == (
        "j1", "authentication_failed", "StockX authentication failed"
    )  # fmt: skip
    assert isinstance(broken, BreakAccount)
    assert (broken.user_id, broken.recipients) == ("anna", ["crew"])


@pytest.mark.parametrize("account", [Account(status="BROKEN", connection=1), Account(status="ACTIVE", connection=2)])
def test_a_401_to_a_login_that_is_no_longer_the_one_asked_with_changes_nothing(account: Account) -> None:
    state = State(jobs={"j1": job()}, accounts={"anna": account})
    assert decide(state, Batch(responses=[response(status=401, error="HTTP 401")]), NOON, V2) == []


def test_tokens_and_expiry_are_for_the_login_that_was_asked_for() -> None:
    tokens = Tokens(user_id="anna", connection=1, access_token=Secret("tok-0"), refresh_token=None, expires_at=NOON)
    batch = Batch(tokens=[tokens], expired=[Expired(user_id="anna", connection=1)])
    current = State(accounts={"anna": Account(status="ACTIVE", connection=1)})
    newer = State(accounts={"anna": Account(status="ACTIVE", connection=2)})
    assert len(decide(current, batch, NOON, V2)) == 2
    assert decide(newer, batch, NOON, V2) == []


# rules 8 and 9


@pytest.mark.parametrize(("retry_after", "pause"), [(None, 60), (5.0, 60), (60.0, 60), (61.0, 61), (86400.0, 86400)])
def test_a_429_postpones_by_the_longer_of_the_two(retry_after: float | None, pause: int) -> None:
    later = only(decided(response(status=429, error="HTTP 429", retry_after_s=retry_after)))
    assert (later.until, later.is_rate_limited) == (NOON + timedelta(seconds=pause), True)


@pytest.mark.parametrize("status", [0, 200, 301, 408, 409, 418, 500, 502, 503, 504])
def test_what_says_nothing_about_the_operation_is_asked_about_again(status: int) -> None:
    later = only(decided(response(status=status, error="no usable answer", error_message="job failed, 404")))
    assert isinstance(later, PostponeJob)
    assert (later.until, later.is_rate_limited) == (NOON + timedelta(seconds=20), False)


def test_the_class_comes_from_the_status_code_never_from_the_words() -> None:
    lost = only(decided(response(status=404, error="HTTP 404", error_message="429 too many requests")))
    assert lost.error_code == "operation_not_found"
    assert only(decided(response(status=404, error="HTTP 404"))).error_message == "Operation not found"
    for status in (400, 422):
        refused = only(decided(response(status=status, error="x", error_message="timeout, try again")))
        assert (type(refused), refused.error_message) == (FailJob, "timeout, try again")


# rule 9: a wall

FIVE = timedelta(minutes=5)
PATIENT = Settings(give_up_after=PositiveDuration(hours=2))


@pytest.mark.parametrize(
    ("count", "age", "singled_out", "fails"),
    [
        (3, FIVE, True, False),
        (4, FIVE - MS, True, False),
        (4, FIVE, True, True),
        (4, FIVE, False, False),
        (40, timedelta(hours=1), False, False),
        (40, FIVE - MS, True, False),
        (9, timedelta(hours=1), True, True),
    ],
)
def test_only_the_fifth_403_in_a_row_over_five_minutes_fails_a_job_and_none_that_all_others_are_answered_too(
    count: int, age: timedelta, singled_out: bool, fails: bool
) -> None:
    said = response(status=403, error="HTTP 403", error_message="not yours", is_singled_out=singled_out)
    verdict = only(decided(said, forbidden_count=count, forbidden_since=NOON - age))
    if fails:
        assert (verdict.error_code, verdict.error_message) == ("forbidden", "not yours")
        return
    assert isinstance(verdict, PostponeJob)
    assert verdict.until == NOON + timedelta(seconds=20)
    assert (verdict.forbidden_count, verdict.forbidden_since) == (count + singled_out, NOON - age)


def test_the_first_403_that_counts_begins_the_row_and_any_other_answer_ends_it() -> None:
    first = only(decided(response(status=403, error="HTTP 403", is_singled_out=True)))
    assert (first.forbidden_count, first.forbidden_since) == (1, NOON)
    for other in (response(word="PENDING"), response(status=503, error="x"), response(status=429, error="x")):
        after = only(decided(other, forbidden_count=4, forbidden_since=NOON - FIVE))
        assert (after.forbidden_count, after.forbidden_since) == (0, None)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(["alone", "wall", "503", "open"]), st.integers(20, 200)), max_size=15))
def test_in_whatever_order_answers_come_a_job_fails_by_403_only_as_the_rule_says(rounds: Any) -> None:
    said = {
        "alone": response(status=403, error="HTTP 403", is_singled_out=True),
        "wall": response(status=403, error="HTTP 403"),
        "503": response(status=503, error="HTTP 503"),
        "open": response(word="PENDING"),
    }
    followed, row, now = job(started_at=NOON), list[datetime](), NOON
    for kind, pause in rounds:
        now += timedelta(seconds=pause)
        state = State(jobs={"j1": followed}, accounts={"anna": Account(status="ACTIVE", connection=1)})
        verdict = only(decide(state, Batch(responses=[said[kind]]), now, PATIENT))
        row = [*row, now] if kind == "alone" else row if kind == "wall" else []
        if kind == "alone" and len(row) >= 5 and row[-1] - row[0] >= FIVE:
            assert verdict.error_code == "forbidden"
            return
        assert isinstance(verdict, PostponeJob)
        followed = replace(followed, forbidden_count=verdict.forbidden_count, forbidden_since=verdict.forbidden_since)
