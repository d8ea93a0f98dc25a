"""The rules of shell_query, one by one, with their exact boundaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pollctl import PositiveDuration, testing
from pollctl_shell_query.decide.polls import decide, grown, spread
from pollctl_shell_query.model.decisions import (
    Batch,
    CloseRun,
    Decision,
    Definition,
    DeleteDefinition,
    FailRun,
    FinishRun,
    Hold,
    Job,
    PollAgain,
    Reading,
    ResumePolling,
    Rowset,
    Settings,
    StartRun,
    State,
)

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
EXACT = Settings(jitter=0.0)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def job(**facts: Any) -> Job:
    known = {"id": "r1", "status": "running", "target": "DE", "is_own_target": False, "customer_key": "pollctl_1"}
    return Job(**{**known, "task_id": "t", "object_id": "o", "started_at": NOON, "is_polled": True, **facts})


def said(status: str = "Queued", **facts: Any) -> Reading:
    return Reading(**{"run_id": "r1", "poll_count": 0, "status": status, **facts})


def judged(run: Job, reading: Reading, seconds: float, settings: Settings = EXACT) -> Any:
    """The one decision about one run."""
    batch = Batch(readings=[replace(reading, poll_count=run.poll_count)])
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
    )


# rule 3


def test_a_run_cancelled_during_a_request_is_closed_whatever_the_upstream_said() -> None:
    for reading in (said("Complete", rowset=Rowset(count=3)), said("Error", error="x"), said(trouble="down")):
        assert isinstance(judged(job(status="canceled"), reading, 10), CloseRun)


def test_a_reading_of_a_poll_that_is_over_changes_nothing() -> None:
    batch = Batch(readings=[said("Complete", rowset=Rowset(count=1), poll_count=3)])
    assert decide(State(jobs={"r1": job(poll_count=4)}), batch, at(60), EXACT) == []
    assert decide(State(jobs={"r1": job(is_polled=False)}), batch, at(60), EXACT) == []
    assert decide(State(), batch, at(60), EXACT) == []


# rule 4


def test_a_run_times_out_at_exactly_29_minutes_and_not_a_millisecond_before() -> None:
    assert isinstance(judged(job(), said(), 29 * 60 - 0.001), PollAgain)
    ended = judged(job(), said("Complete", rowset=Rowset(count=1)), 29 * 60)
    assert (ended.message, ended.counts, ended.poll_count) == (
        "Query timed out after 29 minutes",
        {"timeout_duration": 1},
        0,
    )


def test_the_120th_poll_is_made_and_the_121st_is_not() -> None:
    last = judged(job(poll_count=119), said(), 600)
    assert isinstance(last, PollAgain)
    assert last.poll_count == 120
    ended = judged(job(poll_count=120), said(), 600)
    assert (ended.message, ended.counts) == ("Poll budget exceeded", {"timeout_polls": 1})


def test_a_run_that_is_spent_fails_without_a_reading() -> None:
    batch = Batch(spent=["r1", "unknown"])
    (ended,) = decide(State(jobs={"r1": job()}), batch, at(29 * 60), EXACT)
    assert isinstance(ended, FailRun)
    assert decide(State(jobs={"r1": job(status="canceled")}), batch, at(29 * 60), EXACT) == []
    assert decide(State(jobs={"r1": job()}), batch, at(29 * 60 - 0.001), EXACT) == []


# rule 5


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (said("Error"), "The query ended as Error"),
        (said("  FATALERROR "), "The query ended as FATALERROR"),
        (said("Error", error=" bad column "), "bad column"),
        (said("Complete", error="bad column", rowset=Rowset(count=3)), "bad column"),
        (said("Queued", error="bad column"), "bad column"),
        (said("Error", probe=Rowset(count=1)), "The query ended as Error"),
        (said(" Canceled "), "The query was canceled in Marketing Cloud"),
        (said("CANCELLED"), "The query was canceled in Marketing Cloud"),
    ],
)
def test_an_error_beats_everything_else(reading: Reading, message: str) -> None:
    ended = judged(job(is_own_target=True), reading, 20)
    assert isinstance(ended, FailRun)
    assert ended.message == message


def test_a_blank_error_message_is_none() -> None:
    assert isinstance(judged(job(), said("Queued", error="  "), 20), PollAgain)


# rule 6


def test_a_first_row_is_ready_at_once_and_a_failed_probe_says_nothing() -> None:
    ready = judged(job(is_own_target=True), said("Queued", probe=Rowset(count=7)), 20)
    assert isinstance(ready, FinishRun)
    assert (ready.row_count, ready.counts["fast_ready"], ready.counts["row_probes"]) == (7, 1, 1)
    for probe in (Rowset(count=0), Rowset(trouble="404")):
        again = judged(job(is_own_target=True), said("Queued", probe=probe), 20)
        assert (again.probed_at, again.counts["row_probes"]) == (at(20), 1)


# rules 7 and 8


def test_complete_is_ready_once_its_rows_can_be_read_and_no_row_is_a_result() -> None:
    ready = judged(job(), said(" complete", rowset=Rowset(count=0)), 20)
    assert isinstance(ready, FinishRun)
    assert (ready.row_count, ready.poll_count) == (0, 1)
    assert "fast_ready" not in ready.counts


def test_false_at_200_210_and_215_seconds_counts_1_1_and_2() -> None:
    run, counted = job(), []
    for seconds in (200, 210):
        again = judged(run, said(is_running=False), seconds)
        counted.append(again.confirmations)
        run = after(run, again)
    ready = judged(run, said(is_running=False, rowset=Rowset(count=5)), 215)
    assert counted == [1, 1]
    assert isinstance(ready, FinishRun)
    assert ready.counts == {"polls": 1, "is_running_false": 1, "confirmations": 1}


def test_a_millisecond_short_of_the_gap_is_no_second_confirmation() -> None:
    run = job(first_false_at=at(200), confirmations=1)
    assert judged(run, said(is_running=False), 214.999).confirmations == 1
    assert judged(run, said(is_running=False), 215).confirmations == 2


def test_a_third_confirmation_lies_two_gaps_after_the_first() -> None:
    strict = Settings(jitter=0.0, confirmations=3)
    run = job(first_false_at=at(200), confirmations=2)
    assert judged(run, said(is_running=False), 229.999, strict).confirmations == 2
    assert isinstance(judged(run, said(is_running=False, rowset=Rowset(count=1)), 230, strict), FinishRun)


def test_running_again_sets_the_confirmations_to_0_and_a_rest_failure_leaves_them() -> None:
    run = job(first_false_at=at(200), confirmations=1)
    running = judged(run, said(is_running=True), 230)
    assert (running.confirmations, running.first_false_at) == (0, None)
    failed = judged(run, said(rest_trouble="500"), 230)
    assert (failed.confirmations, failed.first_false_at, failed.counts["is_running_failed"]) == (1, at(200), 1)


def test_an_object_id_that_was_looked_up_is_kept() -> None:
    assert judged(job(object_id=None), said(object_id="found", is_running=True), 200).object_id == "found"


# rule 9


def test_the_pauses_are_4_8_16_30_and_30_seconds() -> None:
    run, pauses, now = job(), [], 2.0
    for _ in range(5):
        again = judged(run, said(), now)
        pauses.append((again.next_poll_at - at(now)).total_seconds())
        now, run = now + pauses[-1], after(run, again)
    assert pauses == [4, 8, 16, 30, 30]


@given(st.integers(0, 119), st.text(min_size=1, max_size=20), st.floats(0, 0.9))
@settings(max_examples=100, deadline=None)
def test_every_pause_lies_within_its_jitter_and_is_the_same_each_time(polls: int, name: str, jitter: float) -> None:
    limits, run = Settings(jitter=jitter), job(id=name, poll_count=polls)
    bare = min(2.0 * 2.0 ** (polls + 1), 30.0)
    pause = grown(limits.initial_delay, polls + 1, limits.max_delay, limits) * spread(run, limits)
    assert bare * (1 - jitter) - 1e-5 <= pause.total_seconds() <= bare * (1 + jitter) + 1e-5
    assert spread(run, limits) == spread(run, limits)


def test_the_jitter_uses_its_whole_range() -> None:
    limits = Settings(jitter=0.2)
    factors = [spread(job(id=f"run {number}", poll_count=number % 7), limits) for number in range(2000)]
    assert 0.8 <= min(factors) < 0.81
    assert 1.19 < max(factors) <= 1.2


def test_no_pause_overflows_however_large_the_settings() -> None:
    wild = Settings(
        backoff=10.0,
        max_polls=100_000,
        initial_delay=PositiveDuration(milliseconds=1),
        max_delay=PositiveDuration(days=1),
    )
    run = job(poll_count=99_999)
    assert judged(run, said(), 60, wild).next_poll_at - at(60) <= timedelta(days=1.3)


# rule 10


def test_a_status_request_that_fails_counts_as_a_poll_and_backs_off() -> None:
    again = judged(job(poll_count=1), said("", trouble="no answer"), 10)
    assert (again.poll_count, again.next_poll_at, again.reason) == (2, at(18), "no answer")


def test_a_retry_after_postpones_the_next_poll_but_not_beyond_the_time_of_the_run() -> None:
    assert judged(job(), said("", trouble="503", retry_after_s=90.0), 10).next_poll_at == at(100)
    assert judged(job(), said("", trouble="503", retry_after_s=1.0), 10).next_poll_at == at(14)
    assert judged(job(), said("", trouble="503", retry_after_s=86_400.0), 10).next_poll_at == at(29 * 60)


def test_a_fresh_token_that_is_refused_too_ends_the_run() -> None:
    ended = judged(job(), said("", is_refused=True, trouble="Token Expired"), 10)
    assert ended.message == "auth_expired"


def test_an_unknown_word_is_waited_for() -> None:
    assert isinstance(judged(job(), said("Pondering"), 10), PollAgain)


# rule 11


def test_rows_are_asked_for_after_3_6_8_8_and_8_seconds_and_the_sixth_failure_is_the_end() -> None:
    run, pauses, now = job(), [], 20.0
    for _ in range(5):
        again = judged(run, said("Complete", rowset=Rowset(trouble="404")), now)
        pauses.append((again.next_poll_at - at(now)).total_seconds())
        now, run = now + pauses[-1], after(run, again)
    assert pauses == [3, 6, 8, 8, 8]
    ended = judged(run, said("", rowset=Rowset(trouble="404")), now)
    assert ended.message == "Data Extension DE not queryable after 6 attempts"
    assert (ended.poll_count, ended.counts) == (6, {"polls": 1, "timeout_rowset": 1})


def test_once_there_only_the_rowset_counts_and_each_time_is_a_poll() -> None:
    run = job(rowset_attempts=1, poll_count=4)
    assert isinstance(judged(run, said("Error", error="x", rowset=Rowset(count=2)), 60), FinishRun)
    again = judged(run, said("", rowset=Rowset(trouble="409")), 60)
    assert (again.rowset_attempts, again.poll_count, again.counts["rowset_retries"]) == (2, 5, 1)


def test_rows_that_could_not_be_asked_for_are_no_failed_attempt() -> None:
    assert judged(job(), said("Complete"), 20).rowset_attempts == 0


def test_a_pause_that_rest_asks_for_postpones_the_rowset() -> None:
    reading = said("Complete", rowset=Rowset(trouble="429"), retry_after_s=60.0)
    assert judged(job(), reading, 20).next_poll_at == at(80)


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
    state = State(jobs={"r1": job(status="queued", is_polled=False)}, stillborn={"r1": "no answer"})
    (ended,) = decide(state, Batch(stillborn=["r1"]), NOON, EXACT)
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
    decisions = decide(State(living=["pollctl_alive"]), Batch(definitions=found), NOON, EXACT)
    assert [one.customer_key for one in decisions if isinstance(one, DeleteDefinition)] == ["pollctl_old"]


# rule 14


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_that_nobody_asks_about_is_taken_up_after_more_than_two_minutes(status: Any) -> None:
    state = State(jobs={"r1": job(status=status, is_polled=False)})
    assert decide(state, Batch(stuck=["r1"]), at(120), EXACT) == []
    (resumed,) = decide(state, Batch(stuck=["r1"]), at(120.001), EXACT)
    assert isinstance(resumed, ResumePolling)
    assert resumed.started_at == NOON


@pytest.mark.parametrize("facts", [{"task_id": None}, {"is_polled": True}, {"status": "ready"}])
def test_a_run_without_task_or_with_an_open_poll_or_an_end_is_left_alone(facts: dict[str, Any]) -> None:
    state = State(jobs={"r1": job(**{"is_polled": False, **facts})})
    assert decide(state, Batch(stuck=["r1"]), at(600), EXACT) == []


# of all rules

texts = st.text(st.characters(codec="utf-8"), max_size=30)
seconds = st.none() | st.floats(0, 1e6)
rowsets = st.none() | st.builds(
    Rowset, count=st.none() | st.integers(0, 2**63 - 1), trouble=texts, retry_after_s=seconds
)
readings = st.builds(
    Reading,
    run_id=st.just("r1"),
    poll_count=st.just(3),
    trouble=st.just("") | texts,
    retry_after_s=seconds,
    is_refused=st.booleans(),
    status=st.sampled_from(["Queued", "Processing", "Complete", "Error", "Canceled", "Pending", ""]) | texts,
    error=st.just("") | texts,
    has_completed_date=st.booleans(),
    object_id=st.none() | texts,
    probe=rowsets,
    is_running=st.none() | st.booleans(),
    rest_trouble=texts,
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
)


@given(jobs, readings, st.floats(0, 4000))
@settings(max_examples=300, deadline=None)
def test_whatever_is_said_there_is_one_decision_with_a_reason_and_it_survives_a_recording(
    run: Job, reading: Reading, age: float
) -> None:
    batch = Batch(readings=[reading])
    decisions = decide(State(jobs={"r1": run}), batch, at(age), Settings())
    assert len(decisions) == 1
    assert testing.round_trip_problems(decisions, list[Decision]) == []
    if isinstance(decisions[0], FinishRun | FailRun | PollAgain):
        assert run.status == "running"
    if isinstance(decisions[0], PollAgain):
        assert at(age) < decisions[0].next_poll_at
        assert decisions[0].poll_count == 4


def test_decide_is_pure() -> None:
    state = State(jobs={"r1": job(), "r2": job(id="r2", status="queued", is_polled=False)}, active=1)
    batch = Batch(
        readings=[said("Complete", rowset=Rowset(trouble="404"))],
        waiting=["r2"],
        holds=[Hold(upstream="soap x", until=at(90))],
        definitions=[Definition(object_id="o", customer_key="pollctl_x", created_at=NOON - timedelta(days=2))],
    )
    assert testing.impurities(decide, state, batch, at(20), Settings()) == []
