"""The rules of latency, by their numbers."""

from __future__ import annotations

import ast
from datetime import UTC, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from plugins.latency.values import ERROR, MISS, NOON, job, measurement_of, samples_of

import pollctl_latency.decide
from pollctl_latency.decide import decide
from pollctl_latency.decide.measurements import alert, sight
from pollctl_latency.decide.summary import bucket_start, commonest_cause, miss_streaks, p95, roll_up, summarise
from pollctl_latency.model import (
    AddSample,
    ChangeAlertState,
    CompleteJob,
    Limits,
    Measurement,
    RollUpJob,
    Round,
    SampleStatus,
    Settings,
    State,
    Tail,
)

unhurried = settings(deadline=None)  # a busy machine is not a failure
outcomes = st.lists(st.one_of(st.sampled_from([MISS, ERROR]), st.floats(0.01, 10_000)), max_size=60)


def judged(measured: Measurement, tail: Tail | None = None, **changes: Any) -> list[Any]:
    state = State(jobs={1: job(**changes)}, tails={1: tail or Tail()}, recipients={1: [7]})
    return decide(state, Round(measurements=[measured]), NOON, Settings())


def success(rtt_ms: float = 20.0) -> Measurement:
    return measurement_of(1, rtt_ms, NOON)


def miss() -> Measurement:
    return measurement_of(1, MISS, NOON)


# rule 2


def test_a_job_past_its_end_is_completed_at_the_pass_now_also_without_a_sample() -> None:
    now = NOON + timedelta(hours=1, milliseconds=1)
    state = State(jobs={1: job()}, recipients={1: [7, 8]})
    (done,) = decide(state, Round(finished=[1]), now, Settings())

    assert isinstance(done, CompleteJob)
    assert (done.completed_at, done.summary.verdict, done.recipients) == (now, "no_data", [7, 8])


def test_a_job_that_was_prolonged_during_the_fetch_runs_on() -> None:
    state = State(jobs={1: job(duration_seconds=7200)})

    assert decide(state, Round(finished=[1]), NOON + timedelta(minutes=90), Settings()) == []


# rule 5


@pytest.mark.parametrize("status", ["cancelled", "completed", "failed"])
def test_a_sample_of_a_job_that_was_closed_in_flight_is_dropped(status: Any) -> None:
    assert judged(success(), status=status) == []


def test_a_sample_of_a_job_that_was_deleted_in_flight_is_dropped() -> None:
    assert decide(State(), Round(measurements=[success()]), NOON, Settings()) == []


def test_a_job_that_someone_closed_is_rolled_up_and_keeps_its_status() -> None:
    state = State(jobs={1: job(status="cancelled")}, samples={1: samples_of([10.0])}, recipients={1: [7]})
    (done,) = decide(state, Round(finished=[1]), NOON, Settings())

    assert isinstance(done, RollUpJob)
    assert done.summary.stats.success == 1


# rule 4


def test_a_sample_follows_the_one_before_it() -> None:
    (added,) = judged(success(20.5), Tail(next_sequence=3, last_rtt_ms=20.0, recent=["success"]))

    assert isinstance(added, AddSample)
    assert (added.sequence_number, added.jitter_ms, added.recorded_at) == (3, 0.5, NOON)


# rule 8


def test_jitter_is_unknown_for_the_first_success_and_for_a_miss() -> None:
    assert judged(success())[0].jitter_ms is None
    assert judged(miss(), Tail(next_sequence=1, last_rtt_ms=20.0))[0].jitter_ms is None


# rule 9


def test_the_example_of_the_summary_comes_out() -> None:
    summary = summarise(samples_of([10.0, 20.0, MISS, 40.0, ERROR]), Limits())

    assert summary.loss_percent == 25
    assert summary.stats.rtt_avg_ms == pytest.approx(23.33, abs=0.004)
    assert [sample.jitter_ms for sample in samples_of([10.0, 20.0, MISS, 40.0])] == [None, 10, None, 20]
    assert (summary.stats.jitter_avg_ms, summary.jitter_max_ms) == (15, 20)
    assert (summary.rtt_median_ms, summary.stats.rtt_min_ms, summary.stats.rtt_max_ms) == (20, 10, 40)


@pytest.mark.parametrize(
    ("taken", "verdict"),
    [
        ([], "no_data"),
        ([20.0] * 95 + [ERROR] * 5, "pass"),
        ([20.0] * 94 + [ERROR] * 6, "unreliable"),
        ([MISS] * 94 + [ERROR] * 6, "unreliable"),
        ([ERROR], "unreliable"),
        ([20.0] * 98 + [MISS] * 2, "pass"),
        ([20.0] * 97 + [MISS] * 3, "fail"),
        ([MISS], "fail"),
        ([20.0], "pass"),
        ([100.0] * 20, "pass"),
        ([100.1] * 20, "fail"),
        ([10.0, 40.0], "pass"),
        ([10.0, 40.1], "fail"),
    ],
    ids=[
        "no samples", "5 % system errors", "6 % system errors", "system errors before loss",
        "system errors only", "loss of 2 %", "loss of 3 %", "all missed", "one success",
        "p95 at the limit", "p95 above it", "jitter at the limit", "jitter above it",
    ],
)  # fmt: skip
def test_the_verdict_is_the_first_that_holds(taken: Any, verdict: str) -> None:
    assert summarise(samples_of(taken), Limits()).verdict == verdict


@pytest.mark.parametrize(
    ("taken", "outages", "longest"),
    [
        ([MISS] * 4, 0, 4),
        ([MISS] * 5, 1, 5),
        ([MISS] * 3 + [ERROR] + [MISS] * 2, 1, 5),
        ([MISS] * 3 + [20.0] + [MISS] * 2, 0, 3),
        ([MISS] * 6 + [20.0] + [MISS] * 9, 2, 9),
        ([ERROR] * 9, 0, 0),
    ],
    ids=[
        "four misses",
        "five misses",
        "a system error between",
        "a success between",
        "two outages",
        "errors only",
    ],
)
def test_an_outage_is_five_misses_in_a_row(taken: Any, outages: int, longest: int) -> None:
    summary = summarise(samples_of(taken), Limits())

    assert (summary.outages, summary.longest_streak) == (outages, longest)


@pytest.mark.parametrize(("n", "place"), [(1, 0), (2, 1), (19, 18), (20, 19), (21, 19), (100, 95), (180, 171)])
def test_p95_is_the_element_at_the_floor_of_95_percent(n: int, place: int) -> None:
    assert p95(list(range(n))) == place


@unhurried
@given(outcomes)
def test_a_summary_accounts_for_every_sample(taken: Any) -> None:
    samples = samples_of(taken)
    summary = summarise(samples, Limits())
    stats = summary.stats

    assert stats.success + stats.missed + stats.system_error == len(samples)
    assert (summary.verdict == "no_data") == (not samples)
    assert sum(miss_streaks(sample.status for sample in samples)) == stats.missed
    if stats.success:
        ordered: list[Any] = [stats.rtt_min_ms, summary.rtt_median_ms, stats.rtt_p95_ms, stats.rtt_max_ms]
        assert ordered == sorted(ordered)


# rule 10


@pytest.mark.parametrize(
    ("recent", "outcome", "state", "expected"),
    [
        ([MISS] * 4, MISS, "ok", "offline"),
        ([MISS] * 3, MISS, "ok", None),
        ([MISS] * 4, MISS, "offline_alerted", None),
        ([MISS] * 4, ERROR, "ok", None),
        ([MISS, MISS, "success", MISS], MISS, "ok", None),
        (["success"] * 4, "success", "offline_alerted", "recovery"),
        (["success"] * 4, "success", "ok", None),
        (["success"] * 3 + [MISS], "success", "offline_alerted", None),
    ],
    ids=[
        "fifth miss", "fourth miss", "sixth miss", "system error after four misses", "success between",
        "fifth success", "success when all is well", "fourth success",
    ],
)  # fmt: skip
def test_alerts_are_edges(recent: Any, outcome: Any, state: Any, expected: Any) -> None:
    assert alert(job(alert_state=state), outcome, Tail(recent=recent)) == expected


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_state_changes_even_where_the_alert_is_off(is_wanted: bool) -> None:
    _, change = judged(miss(), Tail(next_sequence=4, recent=[MISS] * 4), alert_offline=is_wanted)

    assert isinstance(change, ChangeAlertState)
    assert (change.alert_type, change.is_announced, change.recipients) == ("offline", is_wanted, [7])


@unhurried
@given(outcomes)
def test_alerts_alternate_and_each_follows_five_of_its_kind(taken: Any) -> None:
    state, raised = "ok", []
    recent: list[SampleStatus] = []
    for sample in samples_of(taken):
        change = alert(job(alert_state=state), sample.status, Tail(recent=recent[:4]))
        if sample.status != ERROR:
            recent = [sample.status, *recent]
        if change:
            raised.append(change)
            state = "offline_alerted" if change == "offline" else "ok"
            assert set(recent[:5]) == {MISS if change == "offline" else "success"}
            assert len(recent) >= 5

    assert all(first != second for first, second in pairwise(["recovery", *raised]))
    assert bool(raised) == bool(summarise(samples_of(taken), Limits()).outages)


@pytest.mark.parametrize(
    ("errors", "outcome", "is_blind", "expected"),
    [
        (4, ERROR, False, "blind"),
        (3, ERROR, False, None),
        (9, ERROR, True, None),
        (4, MISS, False, None),
        (7, MISS, True, "seeing"),
        (7, "success", True, "seeing"),
        (0, "success", False, None),
    ],
    ids=["fifth", "fourth", "tenth", "a miss is a measurement", "a miss ends it", "a success ends it", "all is well"],
)
def test_blindness_is_an_edge_too(errors: int, outcome: Any, is_blind: bool, expected: Any) -> None:
    assert sight(job(is_blind=is_blind), outcome, Tail(system_errors=errors)) == expected


@pytest.mark.parametrize("is_wanted", [True, False])
def test_blindness_is_kept_even_where_nobody_asks(is_wanted: bool) -> None:
    _, change = judged(measurement_of(1, ERROR, NOON), Tail(next_sequence=4, system_errors=4), alert_blind=is_wanted)

    assert isinstance(change, ChangeAlertState)
    assert (change.alert_type, change.is_announced, change.recipients) == ("blind", is_wanted, [7])


def test_a_sample_that_can_be_taken_again_may_raise_two_alerts() -> None:
    tail = Tail(next_sequence=9, recent=[MISS] * 4, system_errors=5)
    _, *changes = judged(miss(), tail, is_blind=True)

    assert [change.alert_type for change in changes] == ["seeing", "offline"]


@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_job_may_ask_for_another_length_of_an_outage(length: int) -> None:
    limits = Limits(outage_length=length)
    few, enough = Tail(recent=[MISS] * (length - 2)), Tail(recent=[MISS] * (length - 1))

    assert length == 1 or alert(job(limits=limits), MISS, few) is None
    assert alert(job(limits=limits), MISS, enough) == "offline"
    assert sight(job(limits=limits), ERROR, Tail(system_errors=length - 1)) == "blind"
    taken = [20.0, *[MISS] * length, 20.0, *[MISS] * (length - 1), 20.0]
    assert summarise(samples_of(taken), limits).outages == 1


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"max_loss_percent": 10}, "pass"),
        ({"max_loss_percent": 9.99}, "fail"),
        ({"max_loss_percent": 10, "max_p95_ms": 45}, "pass"),
        ({"max_loss_percent": 10, "max_p95_ms": 44.9}, "fail"),
        ({"max_loss_percent": 10, "max_jitter_ms": 12.5}, "pass"),
        ({"max_loss_percent": 10, "max_jitter_ms": 12.4}, "fail"),
    ],
    ids=str,
)
def test_a_job_may_have_limits_of_its_own(limits: dict[str, Any], verdict: str) -> None:
    taken = [20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, MISS]
    assert summarise(samples_of(taken), Limits(max_loss_percent=10)).verdict == "pass"
    spread = [20.0, 20.0, 20.0, 45.0, 20.0, 45.0, 20.0, 20.0, 20.0, MISS]  # p95 45, mean jitter 100 / 8
    assert summarise(samples_of(spread), Limits(**limits)).verdict == verdict


def test_the_commonest_cause_is_the_one_that_is_told() -> None:
    samples = [replace(sample, reason=cause) for sample, cause in zip(samples_of([ERROR] * 5), "abbcb", strict=True)]
    assert commonest_cause([*samples, *samples_of([MISS, 20.0])]) == "b"
    assert commonest_cause(samples_of([MISS, 20.0])) == ""


# rule 11


def test_roll_ups_are_five_minutes_of_utc() -> None:
    rollups = roll_up(samples_of([10.0, 20.0, MISS, 40.0, ERROR, 30.0], every=60))

    assert [rollup.bucket_start for rollup in rollups] == [NOON, NOON + timedelta(minutes=5)]
    assert [rollup.stats.success for rollup in rollups] == [3, 1]
    assert rollups[1].stats.jitter_avg_ms == 10


@unhurried
@given(outcomes, st.integers(1, 1000))
def test_roll_ups_hold_each_sample_once(taken: Any, every: int) -> None:
    samples = samples_of(taken, every)
    rollups = roll_up(samples)
    starts = [rollup.bucket_start for rollup in rollups]

    assert starts == sorted(set(starts))
    assert sum(r.stats.success + r.stats.missed + r.stats.system_error for r in rollups) == len(samples)


@unhurried
@given(st.datetimes(timezones=st.just(UTC)))
def test_a_bucket_begins_at_most_five_minutes_before_its_samples(moment: Any) -> None:
    start = bucket_start(moment)

    assert timedelta() <= moment - start < timedelta(minutes=5)
    assert (start.minute % 5, start.second, start.microsecond) == (0, 0, 0)


# the shape of decide


@unhurried
@given(outcomes)
def test_the_same_input_gives_the_same_decisions_each_with_a_reason(taken: Any) -> None:
    measurements = [measurement_of(number, outcome, NOON) for number, outcome in enumerate(taken)]
    state = State(jobs={n: job(id=n) for n in range(len(taken))}, tails={n: Tail() for n in range(len(taken))})
    batch = Round(measurements=measurements, prunable=[1])
    first = decide(state, batch, NOON, Settings())

    assert first == decide(state, batch, NOON, Settings())
    assert all(decision.reason for decision in first)
    assert len(first) == len(taken) + 1


@unhurried
@given(outcomes)
def test_wider_limits_change_the_verdict_from_fail_to_pass_and_nothing_else(taken: Any) -> None:
    samples = samples_of(taken)
    strict = summarise(samples, Limits(max_loss_percent=2, max_p95_ms=100, max_jitter_ms=30))
    lenient = summarise(samples, Limits(max_loss_percent=50, max_p95_ms=5000, max_jitter_ms=5000))

    assert strict.verdict == lenient.verdict or (strict.verdict, lenient.verdict) == ("fail", "pass")
    assert replace(strict, verdict="pass") == replace(lenient, verdict="pass")


def test_decide_imports_nothing_that_could_reach_outside() -> None:
    trees = [ast.parse(path.read_text()) for path in Path(pollctl_latency.decide.__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}

    assert {str(module) for module in modules if not str(module).startswith("pollctl_latency.decide.")} == {
        "__future__", "collections", "collections.abc", "datetime", "itertools", "statistics", "pollctl", "pollctl_latency.model",
    }  # fmt: skip
    ours = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "pollctl"]
    assert {name.name for node in ours for name in node.names} == {"spoken_length"}
    assert not [node for node in nodes if isinstance(node, ast.Import)]
