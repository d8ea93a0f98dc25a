"""Slots around every change of the clock, against a minute-by-minute daemon and against a second engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from core.schedule import cron_oracle
from cronsim import CronSim

from pollctl.schedule.slots import Schedule

pytestmark = pytest.mark.slow

SECOND, TWO_DAYS = timedelta(seconds=1), timedelta(days=2)
ZONES = [
    "America/New_York",
    "Europe/Amsterdam",
    "Australia/Lord_Howe",  # half an hour
    "America/Santiago",  # no midnight in spring
    "Asia/Beirut",  # no midnight in spring, two midnights in autumn
    "Africa/Cairo",  # on a Friday
    "America/Havana",  # no midnight in spring
    "America/Asuncion",  # gave up changing
    "Africa/Casablanca",  # back for Ramadan, twice in 2030
    "Pacific/Chatham",  # at 2:45
    "Antarctica/Troll",  # two hours
    "Asia/Almaty",  # back once, for good
    "Asia/Kolkata",
    "UTC",
]
EXPRESSIONS = [
    "30 1 * * *",
    "30 2 * * *",
    "0 2 * * *",
    "0 3 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "15,45 1-3 * * *",
    "0-59/20 0,1,2,23 * * *",
    "0 0-23 * * *",
    "0 */2 * * *",
    "5 * * * *",
    "*/15 * * * *",
    "*/10 2 * * *",
    "* 1 * * *",
    "10-50/7 */6 * * 0",
    "0 0 * * sun",
    "59 23 28-31 * *",
    "0 1 1-7 * sun",
    "30 2 */2 * sun",
    "45 1 * 3,10,11 *",
]
SECONDS = ["*/20 30 2 * * *", "10,50 59 0-3 * * *", "30 */30 * * * *", "0,1 * 1 * * *", "59 59 23 * * *"]

# cronsim keeps Debian's rules for fixed times; of wildcard schedules it steps over minutes right after a change
# that is no whole hour.
CRONSIM_DIFFERS = {
    ("Australia/Lord_Howe", "*/10 2 * * *"): 7,
    ("Australia/Lord_Howe", "0 */2 * * *"): 7,
    ("Australia/Lord_Howe", "10-50/7 */6 * * 0"): 14,
    ("Pacific/Chatham", "*/10 2 * * *"): 7,
}


def _moments(zone: str) -> list[datetime]:
    """Every change of the clock, or some turns of the year where there is none."""
    found = cron_oracle.changes(ZoneInfo(zone), 2024, 2030)
    return found or [datetime(year, 1, 1, tzinfo=UTC) for year in (2025, 2028)]


@cache
def _slots(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    schedule = Schedule.parse(expression, ZoneInfo(zone))
    return list(takewhile(lambda slot: slot < end, schedule.slots_after(start - SECOND)))


def _cronsim(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    local = (start - SECOND).astimezone(ZoneInfo(zone))
    moments = (moment.astimezone(UTC) for moment in CronSim(expression, local))
    return list(takewhile(lambda moment: moment < end, moments))


def test_the_zones_change_their_clocks_in_hard_ways() -> None:
    counts = {zone: len(cron_oracle.changes(ZoneInfo(zone), 2024, 2030)) for zone in ZONES}
    assert sum(counts.values()) > 140
    assert counts["America/New_York"] == 14
    assert counts["Africa/Casablanca"] == 15
    assert counts["UTC"] == counts["Asia/Kolkata"] == 0


@pytest.mark.parametrize("zone", [*ZONES[:3], *(pytest.param(zone, marks=pytest.mark.slow) for zone in ZONES[3:])])
def test_slots_around_every_change_of_the_clock_are_those_of_debians_cron(zone: str) -> None:
    for change in _moments(zone):
        start, end = change - TWO_DAYS, change + TWO_DAYS
        for expression in EXPRESSIONS:
            expected = cron_oracle.slots(expression, ZoneInfo(zone), start, end)
            assert _slots(expression, zone, start, end) == expected, f"{expression} around {change}"


@pytest.mark.parametrize("zone", ZONES[:4])
def test_seconds_and_every_minute_follow_the_same_rules(zone: str) -> None:
    for change in _moments(zone)[:4]:
        start, end = change - timedelta(hours=4), change + timedelta(hours=4)
        for expression in ["* * * * *", *SECONDS]:
            expected = cron_oracle.slots(expression, ZoneInfo(zone), start, end)
            assert _slots(expression, zone, start, end) == expected, f"{expression} around {change}"


@pytest.mark.parametrize("zone", ZONES[:4])
def test_latest_and_next_slot_are_right_wherever_one_stands_around_a_change(zone: str) -> None:
    for change in _moments(zone)[:4]:
        start, end = change - TWO_DAYS, change + TWO_DAYS
        for expression in EXPRESSIONS[:14]:
            slots = _slots(expression, zone, start, end)
            schedule = Schedule.parse(expression, ZoneInfo(zone))
            for moment in (change + timedelta(minutes=n) for n in range(-190, 190, 19)):
                assert schedule.latest(moment) == max(slot for slot in slots if slot <= moment), (expression, moment)
                following = next(schedule.slots_after(moment))
                assert following == min(slot for slot in slots if slot > moment), (expression, moment)


def test_a_second_engine_agrees_but_for_the_known_differences() -> None:
    differs: dict[tuple[str, str], int] = {}
    for zone in ZONES:
        for change in _moments(zone):
            start, end = change - TWO_DAYS, change + TWO_DAYS
            for expression in EXPRESSIONS:
                if _cronsim(expression, zone, start, end) != _slots(expression, zone, start, end):
                    differs[zone, expression] = differs.get((zone, expression), 0) + 1
    assert differs == CRONSIM_DIFFERS
