"""A plugin may have several schedules: it is due by whichever comes first."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugin_package import clean_environment, run_pollctl, write_settings

from pollctl.schedule.expression import warnings
from pollctl.schedule.slots import Schedule

UTC_ZONE = ZoneInfo("UTC")
FRIDAY = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
OFFICE = '["0 8-18 * * 1-5", "0 */4 * * 6,0"]'
EXPRESSIONS = ("0 8-18 * * 1-5", "0 */4 * * 6,0", "*/15 * * * *", "0 0 1 1 *", "30 12 * * *", "@hourly")


def slots(*expressions: str, count: int = 6) -> list[datetime]:
    return list(islice(Schedule.parse(" | ".join(expressions), UTC_ZONE).slots_after(FRIDAY), count))


def test_the_slots_of_each_come_in_order() -> None:
    found = slots("0 8-18 * * 1-5", "0 */4 * * 6,0")
    assert [f"{slot:%a %H}" for slot in found] == ["Fri 18", "Sat 00", "Sat 04", "Sat 08", "Sat 12", "Sat 16"]


def test_a_slot_that_several_name_comes_once() -> None:
    assert slots("@hourly", "0 * * * *", count=3) == slots("@hourly", count=3)


@given(st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=4), st.integers(0, 10_000_000))
def test_several_are_the_union_of_each(chosen: list[str], minutes: int) -> None:
    moment = FRIDAY + timedelta(minutes=minutes)
    together = Schedule.parse(" | ".join(chosen), UTC_ZONE)
    alone = [Schedule.parse(one, UTC_ZONE) for one in chosen]
    assert together.latest(moment) == max(one.latest(moment) for one in alone)
    assert next(together.slots_after(moment)) == min(next(one.slots_after(moment)) for one in alone)


def test_the_settings_take_a_list(tmp_path: Path) -> None:
    write_settings(tmp_path, f"[plugins.latency]\nschedule = {OFFICE}")
    done = run_pollctl(
        tmp_path, clean_environment(tmp_path), "due", "--next", "3", "--at", "2026-03-06T17:30:00Z", "--json"
    )
    assert json.loads(done.stdout)["latency"] == [
        "2026-03-06T18:00:00.000Z",
        "2026-03-07T00:00:00.000Z",
        "2026-03-07T04:00:00.000Z",
    ]


@pytest.mark.parametrize("written", ['["0 8 * * *", "61 * * * *"]', '["0 8 * * *", ""]'])
def test_one_wrong_expression_is_named(tmp_path: Path, written: str) -> None:
    write_settings(tmp_path, f"[plugins.latency]\nschedule = {written}")
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "check")
    assert done.returncode == 2
    assert "is not a valid schedule" in done.stdout


@pytest.mark.parametrize("written", ["[]", "[1]", "5"])
def test_what_is_no_list_of_texts_is_refused(tmp_path: Path, written: str) -> None:
    write_settings(tmp_path, f"[plugins.latency]\nschedule = {written}")
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "check")
    assert done.returncode == 2
    assert "plugins.latency.schedule" in done.stdout


@pytest.mark.parametrize("expression", ["*/90 * * * *", "0 0 * * * | */90 * * * *"])
def test_a_step_that_reaches_over_the_end_is_warned_of(expression: str) -> None:
    (warning,) = warnings(expression)
    assert warning == "minute '*/90' means the first minute only: there are no 90 of them to step over"
