"""The rules of stockx_ops, by their words, where they are pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pollctl import Answer, PositiveDuration, Request, Secret, testing
from pollctl.passes.report import recorded
from pollctl_stockx_ops.client.responses import read
from pollctl_stockx_ops.decide import decide, in_words
from pollctl_stockx_ops.model import (
    Account,
    Batch,
    BreakAccount,
    CompleteJob,
    Day,
    DayCounts,
    Decision,
    DueJob,
    Expired,
    FailJob,
    Hold,
    Job,
    KeepTokens,
    Login,
    Pace,
    PostponeJob,
    Response,
    Settings,
    State,
    Tokens,
)

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
V2 = Settings()
OPERATIONS = Settings(dialect="operations")


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


# rule 2


ALLOWED, MS = timedelta(minutes=15), timedelta(milliseconds=1)
LATE = NOON - ALLOWED - MS


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


# rules 3 to 6


@pytest.mark.parametrize("word", ["queued", "processing", "something new", ""])
def test_an_operation_under_way_or_with_an_unknown_word_is_asked_about_again(word: str) -> None:
    later = only(decided(response(word=word), settings=OPERATIONS))
    assert isinstance(later, PostponeJob)
    assert (later.until, later.is_rate_limited) == (NOON + timedelta(seconds=20), False)


def test_a_word_of_the_other_dialect_is_unknown() -> None:
    assert isinstance(only(decided(response(word="completed"))), PostponeJob)


@pytest.mark.parametrize(
    ("job_type", "status"),
    [
        ("create_listing", "ACTIVE"),
        ("update_listing", "ACTIVE"),
        ("activate_listing", "ACTIVE"),
        ("deactivate_listing", "INACTIVE"),
        ("delete_listing", "DELETED"),
    ],
)
def test_a_completed_job_makes_of_its_listing_what_its_type_says(job_type: str, status: str) -> None:
    done = only(decided(response(word="SUCCEEDED", amount=250, currency_code="USD"), job_type=job_type))
    assert isinstance(done, CompleteJob)
    assert (done.change.listing_id, done.change.status) == ("L1", status)  # type: ignore[union-attr]
    assert (done.change.ask_price, done.change.currency_code) == (250, "USD")  # type: ignore[union-attr]
    assert not done.is_partial


def test_an_unknown_job_type_completes_the_job_and_touches_no_listing() -> None:
    done = only(decided(response(word="SUCCEEDED"), job_type="polish_listing"))
    assert isinstance(done, CompleteJob)
    assert done.change is None
    assert done.recipients is None


def test_without_a_result_the_listing_id_comes_from_the_job() -> None:
    given_by_upstream = only(decided(response(word="completed", listing_id="L9"), settings=OPERATIONS))
    assert given_by_upstream.change.listing_id == given_by_upstream.listing_id == "L9"
    silent = only(decided(response(word="completed"), settings=OPERATIONS))
    assert (silent.change.listing_id, silent.change.ask_price) == ("L1", None)
    unknown = only(decided(response(word="completed"), settings=OPERATIONS, listing_id=None))
    assert isinstance(unknown, CompleteJob)
    assert unknown.change is None


def test_only_a_completed_create_or_activate_is_notified_as_live() -> None:
    recipients = {kind: only(decided(response(word="SUCCEEDED"), job_type=kind)).recipients for kind in
            ("create_listing", "activate_listing", "update_listing", "delete_listing")}  # fmt: skip
    assert recipients == {
        "create_listing": ["crew"], "activate_listing": ["crew"], "update_listing": None, "delete_listing": None
    }  # fmt: skip


def test_a_failed_operation_fails_its_job_with_the_upstreams_message_or_unknown_error() -> None:
    lost = only(decided(response(word="FAILED", error_message="ask too low", error_code="LOW")))
    assert (lost.error_code, lost.error_message, lost.is_timeout) == ("LOW", "ask too low", False)
    silent = only(decided(response(word="failed"), settings=OPERATIONS))
    assert (silent.error_code, silent.error_message) == ("operation_failed", "Unknown error")


def test_a_partial_success_ends_the_job_updates_the_listing_and_keeps_the_error() -> None:
    said = response(word="partial_success", listing_id="L1", amount=90, error_code="S9", error_message="size 9 refused")
    done = only(decided(said, settings=OPERATIONS))
    assert (done.is_partial, done.change.ask_price, done.change.status) == (True, 90, "ACTIVE")
    assert (done.history_status, done.error_code, done.error_message) == ("PARTIAL", "S9", "size 9 refused")
    assert done.recipients == ["crew"]


@pytest.mark.parametrize(
    ("job_type", "status"),
    [
        ("create_listing", "ACTIVE"),
        ("update_listing", "ACTIVE"),
        ("activate_listing", "ACTIVE"),
        ("deactivate_listing", "INACTIVE"),
        ("delete_listing", "DELETED"),
        ("polish_listing", "COMPLETED"),
    ],
)
def test_the_history_says_what_became_of_the_listing(job_type: str, status: str) -> None:
    assert only(decided(response(word="SUCCEEDED"), job_type=job_type)).history_status == status


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


@pytest.mark.parametrize("rate", ["", "1", "0/s", "1/d", "-1/s", "1.5/s", "1 /s", "²/s"])
def test_what_is_not_a_valid_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match='write "1/s"'):
        Settings(rate=rate)


def test_a_rate_is_a_distance() -> None:
    assert [Settings(rate=rate).interval for rate in ("1/s", "30/m", "100/h", "1000/s")] == [1, 2, 36, 0.001]
