"""Due or not due, why, and when next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pollctl.schedule.evaluation import backoff_until, judge
from pollctl.schedule.model import Idle, Past, Timing, Verdict
from pollctl.schedule.slots import Schedule

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)
NEVER = Past()


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-22T{text}Z")


def timing(expression: str = "*/10 * * * *", **changes: Any) -> Timing:
    plain: dict[str, Any] = {
        "timezone": "UTC",
        "jitter": timedelta(),
        "catch_up": "once",
        "max_lateness": 5 * MINUTE,
        "backoff": MINUTE,
        "backoff_max": HOUR,
    }
    return Timing(expression=expression, **{**plain, **changes})


def verdict(timing: Timing, past: Past, now: datetime, host: str = "box") -> Verdict:
    return judge(timing, past, now, plugin="latency", host=host)


def started(text: str, failures: int = 0, ended: str = "") -> Past:
    finished = at(ended) if ended else at(text) + SECOND
    return Past(last_started_at=at(text), last_finished_at=finished, consecutive_failures=failures)


def failed_gates(answer: Verdict) -> list[str]:
    return [gate.name for gate in answer.gates if not gate.passed]


def test_a_plugin_that_never_ran_is_due_at_once() -> None:
    for catch_up in ("once", "skip"):
        answer = verdict(timing("0 3 * * *", catch_up=catch_up, jitter=MINUTE), NEVER, at("12:00"))
        assert answer.is_due
        assert answer.next_due_at == at("12:00")


def test_a_plugin_is_due_when_no_pass_has_started_since_the_slot() -> None:
    assert verdict(timing(), started("11:59:59.999"), at("12:00")).is_due
    assert verdict(timing(), started("11:50:00"), at("12:00")).is_due
    assert not verdict(timing(), started("12:00:00"), at("12:00")).is_due
    assert not verdict(timing(), started("12:00:01"), at("12:09:59.999")).is_due
    assert verdict(timing(), started("12:00:01"), at("12:10")).is_due


def test_missed_slots_fold_into_one_pass() -> None:
    answer = verdict(timing(), started("02:00:00"), at("12:07"))
    assert answer.is_due
    assert answer.slot == at("12:00")
    afterwards = verdict(timing(), started("12:07:00"), at("12:07:05"))
    assert not afterwards.is_due
    assert afterwards.next_due_at == at("12:10")


def test_missed_slots_older_than_max_lateness_are_let_go() -> None:
    skipping = timing("0 * * * *", catch_up="skip")
    assert verdict(skipping, started("02:00:00"), at("12:05")).is_due
    late = verdict(skipping, started("02:00:00"), at("12:05:00.001"))
    assert failed_gates(late) == ["catch-up"]
    assert late.next_due_at == at("13:00")


def test_a_last_start_in_the_future_is_ignored() -> None:
    for text in ("12:12:00.001", "18:00:00"):
        answer = verdict(timing(), started(text), at("12:07"))
        assert answer.is_due
        assert "lies in the future and is ignored" in answer.gates[1].text


def test_a_clock_that_is_stepped_back_within_a_slot_does_not_run_it_twice() -> None:
    past = started("12:09:59.999")
    for now in ("12:00:00", "12:07", "12:09:59.999"):
        answer = verdict(timing(), past, at(now))
        assert failed_gates(answer) == ["last start"]
        assert answer.next_due_at == at("12:10")
    assert "lies in the future and counts" in verdict(timing(), past, at("12:07")).gates[1].text
    assert verdict(timing(), past, at("12:10")).is_due


def test_a_clock_that_is_stepped_back_by_up_to_five_minutes_over_a_slot_runs_it_and_the_one_before_once() -> None:
    past = started("12:10:00.500")
    for now in ("12:05:00.500", "12:09:59", "12:10:00", "12:19:59.999"):
        assert failed_gates(verdict(timing(), past, at(now))) == ["last start"]
    assert verdict(timing(), past, at("12:07")).next_due_at == at("12:20")
    assert verdict(timing(), past, at("12:05:00.499")).is_due


def test_after_failures_the_plugin_waits_longer_each_time_up_to_the_limit() -> None:
    waits = [1, 2, 4, 8, 16, 32, 60, 60]
    for failures, minutes in enumerate(waits, 1):
        past = started("06:00:00", failures, "06:00:30")
        assert backoff_until(timing(), past) == at("06:00:30") + minutes * MINUTE
    assert backoff_until(timing(), started("06:00:00", 10**9)) == at("06:00:01") + HOUR


def test_there_is_no_backoff_without_failures_or_when_it_is_set_to_zero() -> None:
    assert backoff_until(timing(), started("06:00:00")) is None
    assert backoff_until(timing(backoff=timedelta()), started("06:00:00", 3)) is None
    assert backoff_until(timing(), Past(consecutive_failures=3)) is None


def test_backoff_holds_a_due_plugin_back_and_the_slot_is_made_up_for_at_its_end() -> None:
    past = started("12:00:00", 4, "12:00:30")
    answer = verdict(timing("* * * * *"), past, at("12:05"))
    assert failed_gates(answer) == ["backoff"]
    assert answer.next_due_at == at("12:08:30")
    assert verdict(timing("* * * * *"), past, at("12:08:30")).is_due


def test_backoff_that_outlasts_a_skipped_slot_waits_for_the_next_slot() -> None:
    past = started("12:00:00", 5, "12:00:30")  # until 12:16:30, the slot of 12:10 is 6:30 old then
    assert verdict(timing(catch_up="skip"), past, at("12:12")).next_due_at == at("12:20")


def test_a_last_end_in_the_future_holds_nothing_back() -> None:
    answer = verdict(timing(), started("11:00:00", 3, "18:00:00"), at("12:00"))
    assert answer.is_due
    assert "ignored" in answer.gates[3].text


def test_jitter_delays_each_slot_by_a_value_fixed_by_plugin_host_and_slot() -> None:
    jittery = timing("0 * * * *", jitter=20 * SECOND)
    now = at("12:59")
    answers = {
        (plugin, host): judge(jittery, NEVER, now, plugin=plugin, host=host)
        for plugin in ("latency", "toilet-gap")
        for host in ("a", "b", "c", "d")
    }
    delays = {key: answer.slot_due_at - answer.slot for key, answer in answers.items()}
    assert {answer.slot for answer in answers.values()} == {at("12:00")}
    assert all(timedelta() <= delay < 20 * SECOND for delay in delays.values())
    assert all(delay % MILLISECOND == timedelta() for delay in delays.values())
    assert len(set(delays.values())) == len(delays)
    # pinned: a delay that changed between releases would move every slot of every installation
    assert delays["latency", "a"] == timedelta(seconds=11.952)


def test_jitter_is_spread_evenly() -> None:
    jittery = timing("* * * * *", jitter=10 * SECOND)
    moments = [at("00:00") + n * MINUTE for n in range(30, 630)]
    answers = [verdict(jittery, NEVER, moment) for moment in moments]
    delays = [(answer.slot_due_at - answer.slot).total_seconds() for answer in answers]
    in_tenths = [sum(tenth <= delay < tenth + 1 for delay in delays) for tenth in range(10)]
    assert sum(in_tenths) == 600
    assert all(30 < count < 95 for count in in_tenths)


def test_a_slot_whose_delay_is_not_over_leaves_the_missed_slot_before_it_due() -> None:
    jittery = timing("0 * * * *", jitter=10 * MINUTE)
    coming = verdict(jittery, started("12:30:00"), at("12:30")).next_due_at
    assert at("13:00") < coming < at("13:10")
    waiting = coming - MILLISECOND
    assert verdict(jittery, started("11:30:00"), waiting).slot == at("12:00")
    assert verdict(jittery, started("11:30:00"), waiting).is_due
    assert not verdict(jittery, started("12:30:00"), waiting).is_due
    assert verdict(jittery, started("12:30:00"), coming).slot == at("13:00")


def test_a_cron_that_ticks_each_minute_runs_a_jittery_minutely_plugin_each_minute() -> None:
    jittery = timing("* * * * *", jitter=20 * SECOND)
    past, passes = NEVER, 0
    for minute in range(60):
        now = at("12:00") + minute * MINUTE + 400 * MILLISECOND
        if verdict(jittery, past, now).is_due:
            past, passes = Past(last_started_at=now, last_finished_at=now + SECOND), passes + 1
    assert passes == 60


def test_every_gate_says_in_words_what_it_saw() -> None:
    jittery = timing("30 1 * * *", timezone="America/New_York", jitter=20 * SECOND, catch_up="skip")
    answer = verdict(jittery, started("01:00:00", 2), at("12:00"))
    texts = {gate.name: gate.text for gate in answer.gates}
    assert list(texts) == ["slot", "last start", "jitter", "backoff", "idle", "catch-up"]
    assert "2026-11-22 01:30:00 America/New_York, 2026-11-22T06:30:00Z" in texts["slot"]
    in_utc = verdict(timing("30 1 * * *"), Past(), at("12:00")).gates[0].text
    assert in_utc == "latest slot of '30 1 * * *' is 2026-11-22T01:30:00Z", "once where the schedule's zone is UTC"
    assert "2026-11-22T01:00:00Z, before the slot came" in texts["last start"]
    assert texts["jitter"].startswith("delays the slot by ")
    assert "2 failed in a row; the wait ended at 2026-11-22T01:02:01Z" in texts["backoff"]
    assert "older than 300 s, and is let go" in texts["catch-up"]


def test_a_wrong_expression_is_a_value_error_that_shows_it() -> None:
    with pytest.raises(ValueError, match=r"'61 \* \* \* \*' is not a valid schedule"):
        verdict(timing("61 * * * *"), NEVER, at("12:00"))


# ---- properties: a past, a present and a plain reading of the rule, slot by slot

START = datetime(2026, 10, 31, 20, tzinfo=UTC)
OFFSETS = st.integers(0, 12 * 3600 * 10).map(lambda tenths: START + tenths * timedelta(milliseconds=100))


def asked(since: datetime, seconds: int, is_of_these_settings: bool) -> Idle:
    return Idle(since=since, until=since + seconds * SECOND, is_of_these_settings=is_of_these_settings)


PASTS = st.builds(
    Past,
    last_started_at=st.none() | OFFSETS,
    last_finished_at=st.none() | OFFSETS,
    consecutive_failures=st.integers(0, 6),
    idle=st.none() | st.builds(asked, OFFSETS, st.integers(1, 20_000), st.sampled_from([True, True, True, False])),
)
CATCH_UPS: st.SearchStrategy[Literal["once", "skip"]] = st.sampled_from(["once", "skip"])
TIMINGS = st.builds(
    Timing,
    expression=st.sampled_from(
        ["* * * * *", "*/10 * * * *", "30 1 * * *", "0 * * * *", "0,7 0-3 * * *", "*/20 * * * * *"]
    ),
    timezone=st.sampled_from(["UTC", "America/New_York", "Europe/Amsterdam"]),
    jitter=st.sampled_from([timedelta(), 20 * SECOND, 5 * MINUTE]),
    catch_up=CATCH_UPS,
    max_lateness=st.sampled_from([30 * SECOND, 5 * MINUTE, HOUR]),
    backoff=st.sampled_from([timedelta(), MINUTE]),
    backoff_max=st.sampled_from([10 * MINUTE, HOUR]),
)


def plainly_due(timing: Timing, past: Past, now: datetime) -> bool:
    """The rule of the specification read word by word, with every slot of the last days looked at."""
    ended = past.last_finished_at
    if past.consecutive_failures and timing.backoff and ended and ended <= now:
        wait = min(timing.backoff * 2 ** (past.consecutive_failures - 1), timing.backoff_max)
        if now < ended + wait:
            return False
    last = past.last_started_at
    if last is None:
        return True
    schedule = Schedule.parse(timing.expression, ZoneInfo(timing.timezone), spread="latency@box")
    if last > now:
        come = takewhile(lambda slot: slot <= last, schedule.slots_after(now - timing.jitter))
        return last - now > 5 * MINUTE and any(now < delayed(timing, slot) <= last for slot in come)
    since = last - timing.jitter - SECOND
    for slot in schedule.slots_after(since):
        if slot > now:
            return False
        came = delayed(timing, slot)
        too_old = timing.catch_up == "skip" and now - came > timing.max_lateness
        if last < came <= now and not too_old:
            return True
    raise AssertionError("unreachable")


def delayed(timing: Timing, slot: datetime) -> datetime:
    """When a slot comes, as told by judge itself: it looks just after the longest delay."""
    if not timing.jitter:
        return slot
    alone = Timing(
        expression=f"{slot.second} {slot.minute} {slot.hour} {slot.day} {slot.month} *",
        timezone="UTC",
        jitter=timing.jitter,
        catch_up="once",
        max_lateness=HOUR,
        backoff=timedelta(),
        backoff_max=HOUR,
    )
    answer = verdict(alone, NEVER, slot + timing.jitter)
    assert answer.slot == slot
    return answer.slot_due_at


@given(TIMINGS, PASTS, OFFSETS)
@settings(max_examples=150, deadline=None)
def test_the_verdict_is_that_of_the_rule_read_plainly(timing: Timing, past: Past, now: datetime) -> None:
    answer = verdict(timing, past, now)
    idle = past.idle
    is_idle = idle is not None and idle.is_of_these_settings and idle.since <= now < idle.until
    assert answer.is_due == (not is_idle and plainly_due(timing, past, now))
    assert answer.is_due == all(gate.passed for gate in answer.gates)
    assert answer.slot <= answer.slot_due_at <= now


@pytest.mark.slow
@given(TIMINGS, PASTS, OFFSETS, st.lists(st.floats(0, 1, exclude_max=True), min_size=4, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_plugin_is_not_due_before_next_due_at_and_due_at_it(
    timing: Timing, past: Past, now: datetime, between: list[float]
) -> None:
    following = verdict(timing, past, now).next_due_at
    assert following >= now
    assert verdict(timing, past, following).is_due
    assert verdict(timing, past, now).is_due == (following == now)
    if following > now:
        moments = [now, following - MILLISECOND, *(now + (following - now) * part for part in between)]
        assert not any(verdict(timing, past, moment).is_due for moment in moments if now <= moment < following)
        assert all(verdict(timing, past, m).next_due_at == following for m in moments if now <= m < following)


@given(TIMINGS, OFFSETS)
@settings(max_examples=100, deadline=None)
def test_a_pass_that_starts_when_due_makes_the_plugin_not_due(timing: Timing, now: datetime) -> None:
    past = Past(last_started_at=now, last_finished_at=now + SECOND)
    answer = verdict(timing, past, now)
    assert not answer.is_due
    assert answer.next_due_at > now


@pytest.mark.slow
@given(TIMINGS, OFFSETS)
@settings(max_examples=100, deadline=None)
def test_no_slot_is_lost_or_served_twice_by_a_runner_that_sleeps_until_next_due_at(
    timing: Timing, now: datetime
) -> None:
    schedule = Schedule.parse(timing.expression, ZoneInfo(timing.timezone), spread="latency@box")
    past = Past(last_started_at=now, last_finished_at=now)
    expected = sorted({delayed(timing, slot) for slot in islice(schedule.slots_after(now - timing.jitter), 40)} - {now})
    for come in [moment for moment in expected if moment > now][:8]:
        following = verdict(timing, past, past.last_started_at or now).next_due_at
        assert following == come
        past = Past(last_started_at=following, last_finished_at=following)
