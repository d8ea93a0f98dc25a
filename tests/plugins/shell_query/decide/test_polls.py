"""What becomes of a run after one poll (rules 3 to 11), with the exact boundaries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from plugins.shell_query.decide.values import EXACT, after, at, job, judged, response

from pollctl import PositiveDuration
from pollctl_shell_query.decide import decide
from pollctl_shell_query.decide.delays import backoff_delay, jitter_factor
from pollctl_shell_query.decide.gates import is_gate_open
from pollctl_shell_query.model import (
    Batch,
    CloseRun,
    FailRun,
    FinishRun,
    PollAgain,
    PollResponse,
    Rowset,
    Settings,
    State,
)

# rule 3


def test_a_run_cancelled_during_a_request_is_closed_whatever_the_upstream_answers() -> None:
    for answer in (
        response("Complete", rowset=Rowset(count=3)),
        response("Error", error_message="x"),
        response(request_error="down"),
    ):
        assert isinstance(judged(job(status="canceled"), answer, 10), CloseRun)


def test_an_answer_of_a_poll_that_is_over_changes_nothing() -> None:
    batch = Batch(responses=[response("Complete", rowset=Rowset(count=1), poll_count=3)])
    assert decide(State(jobs={"r1": job(poll_count=4)}), batch, at(60), EXACT) == []
    assert decide(State(jobs={"r1": job(is_polled=False)}), batch, at(60), EXACT) == []
    assert decide(State(), batch, at(60), EXACT) == []


# rule 4


def test_a_run_times_out_at_exactly_29_minutes_and_not_a_millisecond_before() -> None:
    assert isinstance(judged(job(), response(), 29 * 60 - 0.001), PollAgain)
    ended = judged(job(), response("Complete", rowset=Rowset(count=1)), 29 * 60)
    assert (ended.message, ended.counts, ended.poll_count) == (
        "Query timed out after 29 minutes",
        {"timeout_duration": 1},
        0,
    )


def test_the_120th_poll_is_made_and_the_121st_is_not() -> None:
    last = judged(job(poll_count=119), response(), 600)
    assert isinstance(last, PollAgain)
    assert last.poll_count == 120
    ended = judged(job(poll_count=120), response(), 600)
    assert (ended.message, ended.counts) == ("Poll budget exceeded", {"timeout_polls": 1})


def test_a_run_that_is_exhausted_fails_without_an_answer() -> None:
    batch = Batch(exhausted=["r1", "unknown"])
    (ended,) = decide(State(jobs={"r1": job()}), batch, at(29 * 60), EXACT)
    assert isinstance(ended, FailRun)
    assert decide(State(jobs={"r1": job(status="canceled")}), batch, at(29 * 60), EXACT) == []
    assert decide(State(jobs={"r1": job()}), batch, at(29 * 60 - 0.001), EXACT) == []


# rule 5


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (response("Error"), "The query ended as Error"),
        (response("  FATALERROR "), "The query ended as FATALERROR"),
        (response("Error", error_message=" bad column "), "bad column"),
        (response("Complete", error_message="bad column", rowset=Rowset(count=3)), "bad column"),
        (response("Queued", error_message="bad column"), "bad column"),
        (response("Error", probe=Rowset(count=1)), "The query ended as Error"),
        (response(" Canceled "), "The query was canceled in Marketing Cloud"),
        (response("CANCELLED"), "The query was canceled in Marketing Cloud"),
    ],
)
def test_an_error_beats_everything_else(answer: PollResponse, message: str) -> None:
    ended = judged(job(is_own_target=True), answer, 20)
    assert isinstance(ended, FailRun)
    assert ended.message == message


def test_a_blank_error_message_is_none() -> None:
    assert isinstance(judged(job(), response("Queued", error_message="  "), 20), PollAgain)


# rule 6


def test_a_first_row_opens_the_rest_gate_and_is_no_end_by_itself() -> None:
    seen = response("Processing", probe=Rowset(count=1))
    again = judged(job(is_own_target=True), seen, 20)
    assert isinstance(again, PollAgain)
    assert (again.probed_at, again.counts["row_probes"], again.confirmations) == (at(20), 1, 0)
    for probe in (Rowset(count=0), Rowset(error="404"), None):
        assert not is_gate_open(job(is_own_target=True), response("Processing", probe=probe), at(20), EXACT)
    assert is_gate_open(job(is_own_target=True), seen, at(5), EXACT)


def test_after_a_first_row_rest_must_answer_twice_as_ever_and_the_rowset_says_how_many_there_are() -> None:
    run = job(is_own_target=True)
    first = judged(run, response("Processing", probe=Rowset(count=1), is_running=False), 20)
    assert (type(first), first.confirmations) == (PollAgain, 1)
    short = response("Processing", probe=Rowset(count=5), is_running=False)
    assert judged(after(run, first), short, 34.999).confirmations == 1
    ready = judged(after(run, first), replace(short, rowset=Rowset(count=5)), 35)
    assert isinstance(ready, FinishRun)
    assert (ready.row_count, ready.counts["fast_ready"]) == (5, 1)
    late = judged(after(run, first), replace(short, rowset=Rowset(count=5)), 180)
    assert "fast_ready" not in late.counts


# rules 7 and 8


def test_complete_is_ready_once_its_rows_can_be_read_and_no_row_is_a_result() -> None:
    ready = judged(job(), response(" complete", rowset=Rowset(count=0)), 20)
    assert isinstance(ready, FinishRun)
    assert (ready.row_count, ready.poll_count) == (0, 1)
    assert "fast_ready" not in ready.counts


def test_false_at_200_210_and_215_seconds_counts_1_1_and_2() -> None:
    run, counted = job(), []
    for seconds in (200, 210):
        again = judged(run, response(is_running=False), seconds)
        counted.append(again.confirmations)
        run = after(run, again)
    ready = judged(run, response(is_running=False, rowset=Rowset(count=5)), 215)
    assert counted == [1, 1]
    assert isinstance(ready, FinishRun)
    assert ready.counts == {"polls": 1, "is_running_false": 1, "confirmations": 1}


def test_a_millisecond_short_of_the_gap_is_no_second_confirmation() -> None:
    run = job(first_false_at=at(200), confirmations=1)
    assert judged(run, response(is_running=False), 214.999).confirmations == 1
    assert judged(run, response(is_running=False), 215).confirmations == 2


def test_a_third_confirmation_lies_two_gaps_after_the_first() -> None:
    strict = Settings(jitter=0.0, confirmations=3)
    run = job(first_false_at=at(200), confirmations=2)
    assert judged(run, response(is_running=False), 229.999, strict).confirmations == 2
    assert isinstance(judged(run, response(is_running=False, rowset=Rowset(count=1)), 230, strict), FinishRun)


def test_running_again_sets_the_confirmations_to_0_and_a_rest_failure_leaves_them() -> None:
    run = job(first_false_at=at(200), confirmations=1)
    running = judged(run, response(is_running=True), 230)
    assert (running.confirmations, running.first_false_at) == (0, None)
    failed = judged(run, response(rest_error="500"), 230)
    assert (failed.confirmations, failed.first_false_at, failed.counts["is_running_failed"]) == (1, at(200), 1)


def test_an_object_id_that_was_looked_up_is_kept() -> None:
    assert judged(job(object_id=None), response(object_id="found", is_running=True), 200).object_id == "found"


# rule 9


def test_the_pauses_are_4_8_16_30_and_30_seconds() -> None:
    run, pauses, now = job(), [], 2.0
    for _ in range(5):
        again = judged(run, response(), now)
        pauses.append((again.next_poll_at - at(now)).total_seconds())
        now, run = now + pauses[-1], after(run, again)
    assert pauses == [4, 8, 16, 30, 30]


@given(st.integers(0, 119), st.text(min_size=1, max_size=20), st.floats(0, 0.9))
@settings(max_examples=100, deadline=None)
def test_every_pause_lies_within_its_jitter_and_is_the_same_each_time(polls: int, name: str, jitter: float) -> None:
    limits, run = Settings(jitter=jitter), job(id=name, poll_count=polls)
    bare = min(2.0 * 2.0 ** (polls + 1), 30.0)
    pause = backoff_delay(limits.initial_delay, polls + 1, limits.max_delay, limits) * jitter_factor(run, limits)
    assert bare * (1 - jitter) - 1e-5 <= pause.total_seconds() <= bare * (1 + jitter) + 1e-5
    assert jitter_factor(run, limits) == jitter_factor(run, limits)


def test_the_jitter_uses_its_whole_range() -> None:
    limits = Settings(jitter=0.2)
    factors = [jitter_factor(job(id=f"run {number}", poll_count=number % 7), limits) for number in range(2000)]
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
    assert judged(run, response(), 60, wild).next_poll_at - at(60) <= timedelta(days=1.3)


# rule 10


def test_a_status_request_that_fails_counts_as_a_poll_and_backs_off() -> None:
    again = judged(job(poll_count=1), response("", request_error="no answer"), 10)
    assert (again.poll_count, again.next_poll_at, again.reason) == (2, at(18), "no answer")


def test_a_retry_after_postpones_the_next_poll_but_not_beyond_the_time_of_the_run() -> None:
    assert judged(job(), response("", request_error="503", retry_after_s=90.0), 10).next_poll_at == at(100)
    assert judged(job(), response("", request_error="503", retry_after_s=1.0), 10).next_poll_at == at(14)
    assert judged(job(), response("", request_error="503", retry_after_s=86_400.0), 10).next_poll_at == at(29 * 60)


def test_a_fresh_token_that_is_refused_too_ends_the_run_at_the_third_poll_in_a_row() -> None:
    refused, run = response("", is_token_refused=True, request_error="Login Failed"), job()
    for number, seconds in enumerate((10, 20), start=1):
        again = judged(run, refused, seconds)
        assert (type(again), again.poll_count, again.auth_failures) == (PollAgain, number, number)
        run = after(run, again)
    for other in (response("Queued"), response("", request_error="HTTP 500")):
        assert judged(run, other, 30).auth_failures == 0
    ended = judged(run, refused, 30)
    assert (type(ended), ended.message, ended.poll_count) == (FailRun, "auth_expired", 3)


def test_an_unknown_word_is_waited_for() -> None:
    assert isinstance(judged(job(), response("Pondering"), 10), PollAgain)


# rule 11


def test_rows_are_asked_for_after_3_6_8_8_and_8_seconds_and_the_sixth_failure_is_the_end() -> None:
    run, pauses, now = job(), [], 20.0
    for _ in range(5):
        again = judged(run, response("Complete", rowset=Rowset(error="404")), now)
        pauses.append((again.next_poll_at - at(now)).total_seconds())
        now, run = now + pauses[-1], after(run, again)
    assert pauses == [3, 6, 8, 8, 8]
    ended = judged(run, response("", rowset=Rowset(error="404")), now)
    assert ended.message == "Data Extension DE not queryable after 6 attempts"
    assert (ended.poll_count, ended.counts) == (6, {"polls": 1, "timeout_rowset": 1})


def test_once_there_only_the_rowset_counts_and_each_time_is_a_poll() -> None:
    run = job(rowset_attempts=1, poll_count=4)
    assert isinstance(judged(run, response("Error", error_message="x", rowset=Rowset(count=2)), 60), FinishRun)
    again = judged(run, response("", rowset=Rowset(error="409")), 60)
    assert (again.rowset_attempts, again.poll_count, again.counts["rowset_retries"]) == (2, 5, 1)


def test_rows_that_could_not_be_asked_for_are_no_failed_attempt() -> None:
    assert judged(job(), response("Complete"), 20).rowset_attempts == 0


def test_a_pause_that_rest_asks_for_postpones_the_rowset() -> None:
    answer = response("Complete", rowset=Rowset(error="429"), retry_after_s=60.0)
    assert judged(job(), answer, 20).next_poll_at == at(80)
