"""What a cron expression means: fields, words, messages and a few days on which clocks are changed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pollctl.schedule.expression import warnings
from pollctl.schedule.slots import Schedule

MICROSECOND = timedelta(microseconds=1)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Antarctica/Troll"])
VALID = st.sampled_from(
    [
        "* * * * *",
        "*/30 * * * * *",
        "30 2 * * *",
        "0,30 1-3 * * *",
        "*/7 2 * * *",
        "0 0 29 2 *",
        "0 0 31 * fri",
        "0 12 L * *",
        "0 6 * * 1#5",
        "0 6 * * L5",
        "0 9 15W * *",
        "0 0 1 1 ?",
        "15 30 1 * * *",
        "H H * * *",
        "H/10 * H * *",
        "@weekly",
    ]
)


def slots(expression: str, zone: str, start: str, count: int, spread: str = "") -> list[str]:
    schedule = Schedule.parse(expression, ZoneInfo(zone), spread=spread)
    found = islice(schedule.slots_after(datetime.fromisoformat(start)), count)
    return [f"{slot:%Y-%m-%dT%H:%M:%SZ}" for slot in found]


def test_five_fields_are_minutes_and_six_begin_with_seconds() -> None:
    assert slots("*/30 * * * *", "UTC", "2026-01-01T00:00Z", 2) == ["2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"]
    assert slots("*/30 * * * * *", "UTC", "2026-01-01T00:00Z", 2) == ["2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"]


@pytest.mark.parametrize(
    ("alias", "written_out"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @Annually ", "0 0 1 1 *"),
    ],
)
def test_an_alias_means_what_crontab_says_whatever_the_spread(alias: str, written_out: str) -> None:
    start = "2026-03-05T10:11:12Z"
    assert slots(alias, "UTC", start, 5, "latency@box") == slots(written_out, "UTC", start, 5)


def test_h_is_fixed_by_plugin_and_host_and_differs_between_them() -> None:
    start = "2026-01-01T00:00Z"
    spreads = [f"plugin{n}@host{m}" for n in range(8) for m in range(8)]
    firsts = {spread: slots("H H * * *", "UTC", start, 1, spread)[0] for spread in spreads}
    assert firsts == {spread: slots("h h * * *", "UTC", start, 1, spread)[0] for spread in spreads}
    assert len(set(firsts.values())) > 48


def test_a_day_drawn_by_h_leaves_out_no_month() -> None:
    for n in range(40):
        months = {slot[5:7] for slot in slots("0 0 H * *", "UTC", "2025-12-31T00:00Z", 12, f"p{n}@host")}
        assert len(months) == 12


def test_day_and_weekday_are_joined_as_crontab_says() -> None:
    # either, when both are restricted; both, when one begins with *
    either = ["2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z", "2026-06-13T00:00:00Z"]
    both = ["2026-06-01T00:00:00Z", "2026-06-15T00:00:00Z", "2026-06-29T00:00:00Z"]
    assert slots("0 0 13 * mon", "UTC", "2026-05-31T12:00Z", 3) == either
    assert slots("0 0 */2 * mon", "UTC", "2026-05-31T12:00Z", 3) == both


def test_59_15_means_minute_59() -> None:
    assert slots("59/15 * * * *", "UTC", "2026-01-01T00:00Z", 2) == ["2026-01-01T00:59:00Z", "2026-01-01T01:59:00Z"]


def test_a_fixed_time_that_comes_twice_fires_once_at_the_first() -> None:
    found = slots("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", 2)
    assert found == ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]


def test_a_fixed_time_that_does_not_exist_fires_once_right_after_the_gap() -> None:
    found = slots("0,30 2,3 * * *", "America/New_York", "2026-03-08T05:00Z", 3)
    assert found == ["2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:00:00Z"]


def test_a_midnight_that_does_not_exist_fires_at_one() -> None:
    assert slots("@daily", "America/Havana", "2026-03-07T12:00Z", 2) == ["2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"]


def test_a_wildcard_schedule_goes_by_the_clock() -> None:
    gap = slots("*/20 2 * * *", "America/New_York", "2026-03-07T12:00Z", 1)
    assert gap == ["2026-03-09T06:00:00Z"]
    twice = slots("30 * * * *", "America/New_York", "2026-11-01T05:00Z", 3)
    assert twice == ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z"]


def test_a_change_of_three_hours_or_more_is_not_made_up_for() -> None:
    # Samoa went to bed on Thursday the 29th and got up on Saturday the 31st
    found = slots("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", 2)
    assert found == ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("60 * * * *", "minute '60' is not one of 0-59"),
        ("* 24 * * *", "hour '24' is not one of 0-23"),
        ("* * 0 * *", "day '0' is not one of 1-31"),
        ("* * * foo *", "month 'foo' is not one of 1-12 or jan-dec"),
        ("* * * * 8", "weekday '8' is not one of 0-7 or sun-sat"),
        ("61 * * * * *", "second '61' is not one of 0-59"),
        ("*/0 * * * *", "minute '*/0'"),
        ("H(5-90) * * * *", "minute 'h(5-90)'"),
        ("0 0 30 2 *", "no year has such a day"),
        ("0 0 31 4,6 *", "no year has such a day"),
        ("* * *", "3 fields; write five fields"),
        ("", "0 fields; write five fields"),
        ("* * * * * * 2026", "7 fields; write five fields"),
        ("@reboot", "an unknown alias; write five fields"),
        ("R * * * *", "R is random"),
        ("* r(1-5)/2 * * *", "R is random"),
    ],
)
def test_what_is_no_schedule_is_refused_with_what_is_allowed(expression: str, why: str) -> None:
    with pytest.raises(ValueError, match="is not a valid schedule: ") as caught:
        Schedule.parse(expression, ZoneInfo("UTC"))
    assert str(caught.value).startswith(repr(expression))
    assert why in str(caught.value)


@given(st.text(alphabet="0123456789*/-,#?@ hlrwHLRWjanmos(é\t\n\0", max_size=24) | st.text(max_size=12))
@example("* * * * *\0")
@example("* * L-1 * *")
@example("* * * * #")
@example("* * W * *")
@example("9" * 5000 + " * * * *")
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_schedule_or_a_value_error(text: str) -> None:
    assert isinstance(warnings(text), list)
    with contextlib.suppress(ValueError):
        schedule = Schedule.parse(text, ZoneInfo("UTC"), spread="a@b")
        assert next(schedule.slots_after(datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.slow
@given(VALID, ZONES, MOMENTS)
@settings(max_examples=150, deadline=None)
def test_slots_increase_strictly_and_are_whole_seconds_in_utc(expression: str, zone: str, moment: datetime) -> None:
    schedule = Schedule.parse(expression, ZoneInfo(zone), spread="a@b")
    found = [moment, *islice(schedule.slots_after(moment), 30)]
    assert all(earlier < later for earlier, later in pairwise(found))
    assert all(slot.tzinfo is UTC and slot.microsecond == 0 for slot in found[1:])


@given(VALID, ZONES, MOMENTS)
@settings(max_examples=150, deadline=None)
def test_latest_and_next_slot_enclose_a_moment_and_nothing_lies_between(
    expression: str, zone: str, moment: datetime
) -> None:
    schedule = Schedule.parse(expression, ZoneInfo(zone), spread="a@b")
    latest, following = schedule.latest(moment), next(schedule.slots_after(moment))
    assert latest <= moment < following
    assert next(schedule.slots_after(latest)) == following
    assert next(schedule.slots_after(latest - MICROSECOND)) == latest
    assert schedule.latest(following - MICROSECOND) == latest
    assert schedule.latest(following) == following


def test_two_iterations_of_one_schedule_do_not_disturb_each_other() -> None:
    schedule = Schedule.parse("0 * * * *", ZoneInfo("UTC"))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    one, other = schedule.slots_after(moment), schedule.slots_after(moment + timedelta(days=9))
    for _ in range(5):
        assert next(other) - next(one) == timedelta(days=9)


@pytest.mark.parametrize(
    ("expression", "warned_of"),
    [
        ("59/15 * * * *", "minute '59/15' means 59 only"),
        ("59/7 * * * * *", "second '59/7' means 59 only"),
        ("0 23/2 * * *", "hour '23/2' means 23 only"),
        ("0 0 31/3 * *", "day '31/3' means 31 only"),
        ("0 0 1 DEC/3 *", "month 'dec/3' means 12 only"),
        ("0 0 * * sat/2", "weekday 'sat/2' means 6 only"),
        ("1,59/5 * * * *", "minute '59/5' means 59 only"),
        ("5-5 * * * *", "minute '5-5' means every minute"),
        ("0 0 1 jan-1 *", "month 'jan-1' means every month"),
    ],
)
def test_an_expression_that_is_easily_misread_is_warned_of(expression: str, warned_of: str) -> None:
    (warning,) = warnings(expression)
    assert warning.startswith(warned_of)


@pytest.mark.parametrize(
    "expression",
    ["58/15 * * * *", "*/15 * * * *", "0-59/15 * * * *", "0 0 * * 0-7", "@daily", "H/59 * * * *", "nonsense"],
)
def test_a_plain_expression_gives_no_warning(expression: str) -> None:
    assert warnings(expression) == []


def test_the_step_warning_holds_exactly_where_croniter_reads_one_value() -> None:
    from croniter import croniter

    for minute in range(60):
        expression = f"{minute}/15 * * * *"
        values = croniter.expand(expression)[0][0]
        assert bool(warnings(expression)) == (minute == 59)
        assert values == list(range(minute, 60, 15))


def test_importing_the_module_does_not_import_what_takes_long() -> None:
    code = (
        "import sys, pollctl.schedule\n"
        "print([m for m in ('croniter', 'dateutil', 'hashlib', 'calendar', 'sqlite3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
