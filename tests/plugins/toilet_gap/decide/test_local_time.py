"""Wall-clock days in UTC: the nights on which clocks change, and zones in which midnight does not exist."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from plugins.toilet_gap.in_memory import InMemoryWorld, seconds
from plugins.toilet_gap.oracle import alarms

from pollctl import HttpUrl, PositiveDuration
from pollctl_toilet_gap.decide import local_time
from pollctl_toilet_gap.model import Monitor, Settings

NIGHTS = [
    # zone, date of A, A, B, A in UTC, B in UTC, hours
    ("Europe/Amsterdam", "2025-11-12", "08:00", "20:00", "2025-11-12T07:00", "2025-11-12T19:00", 12),
    ("Europe/Amsterdam", "2026-03-29", "08:00", "20:00", "2026-03-29T06:00", "2026-03-29T18:00", 12),
    ("Europe/Amsterdam", "2026-03-28", "22:00", "06:00", "2026-03-28T21:00", "2026-03-29T04:00", 7),
    ("Europe/Amsterdam", "2026-10-24", "22:00", "06:00", "2026-10-24T20:00", "2026-10-25T05:00", 9),
    ("Europe/Amsterdam", "2026-03-29", "02:30", "06:00", "2026-03-29T01:00", "2026-03-29T04:00", 3),
    ("Europe/Amsterdam", "2026-03-28", "22:00", "02:30", "2026-03-28T21:00", "2026-03-29T01:00", 4),
    ("Europe/Amsterdam", "2026-10-25", "02:30", "06:00", "2026-10-25T00:30", "2026-10-25T05:00", 4.5),
    ("Europe/Amsterdam", "2026-10-24", "22:00", "02:30", "2026-10-24T20:00", "2026-10-25T01:30", 5.5),
    ("Europe/Amsterdam", "2026-03-28", "12:00", "12:00", "2026-03-28T11:00", "2026-03-29T10:00", 23),
    ("Europe/Amsterdam", "2026-10-24", "12:00", "12:00", "2026-10-24T10:00", "2026-10-25T11:00", 25),
    ("America/New_York", "2026-03-07", "22:00", "06:00", "2026-03-08T03:00", "2026-03-08T10:00", 7),
    ("America/New_York", "2026-10-31", "22:00", "06:00", "2026-11-01T02:00", "2026-11-01T11:00", 9),
    ("America/New_York", "2026-03-08", "02:15", "03:30", "2026-03-08T07:00", "2026-03-08T07:30", 0.5),
    ("America/New_York", "2026-11-01", "01:30", "01:45", "2026-11-01T05:30", "2026-11-01T06:45", 1.25),
    ("Australia/Lord_Howe", "2026-04-04", "22:00", "06:00", "2026-04-04T11:00", "2026-04-04T19:30", 8.5),
    ("Australia/Lord_Howe", "2026-10-03", "22:00", "06:00", "2026-10-03T11:30", "2026-10-03T19:00", 7.5),
    ("Australia/Lord_Howe", "2026-10-04", "02:15", "06:00", "2026-10-03T15:30", "2026-10-03T19:00", 3.5),
    ("Australia/Lord_Howe", "2026-04-05", "01:45", "06:00", "2026-04-04T14:45", "2026-04-04T19:30", 4.75),
    # midnight does not exist: clocks go from 24:00 of the day before to 01:00
    ("America/Santiago", "2026-09-06", "00:00", "06:00", "2026-09-06T04:00", "2026-09-06T09:00", 5),
    ("America/Santiago", "2026-09-05", "20:00", "00:00", "2026-09-06T00:00", "2026-09-06T04:00", 4),
    ("America/Santiago", "2026-09-05", "22:00", "06:00", "2026-09-06T02:00", "2026-09-06T09:00", 7),
    ("Africa/Cairo", "2026-04-24", "00:00", "08:00", "2026-04-23T22:00", "2026-04-24T05:00", 7),
    ("Africa/Cairo", "2026-04-23", "22:00", "00:30", "2026-04-23T20:00", "2026-04-23T22:00", 2),
    ("Asia/Beirut", "2026-03-28", "22:00", "06:00", "2026-03-28T20:00", "2026-03-29T03:00", 7),
    # midnight comes twice
    ("America/Santiago", "2026-04-04", "22:00", "06:00", "2026-04-05T01:00", "2026-04-05T10:00", 9),
    ("Asia/Beirut", "2026-10-24", "22:00", "00:00", "2026-10-24T19:00", "2026-10-24T22:00", 3),
    # a whole date that does not exist
    ("Pacific/Apia", "2011-12-30", "08:00", "20:00", "2011-12-30T10:00", "2011-12-30T10:00", 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "begins", "ends", "hours"), NIGHTS, ids=[" ".join(row[:4]) for row in NIGHTS]
)
def test_a_and_b_in_utc(zone: str, day: str, start: str, end: str, begins: str, ends: str, hours: float) -> None:
    found = local_time.bounds(ZoneInfo(zone), date.fromisoformat(day), start, end)
    assert found == (datetime.fromisoformat(f"{begins}Z"), datetime.fromisoformat(f"{ends}Z"))
    assert found[1] - found[0] == timedelta(hours=hours)


def monitor(zone: str, start: str, end: str, minutes: int = 60) -> Monitor:

    gap = PositiveDuration(minutes=minutes)
    return Monitor(name="pilot", robot_id="r-1", timezone=ZoneInfo(zone), start=start, end=end, gap=gap)


ZONES = [
    "Europe/Amsterdam",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
]


times = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@how(deadline=None, max_examples=200)
@given(st.sampled_from(ZONES), times, times, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_every_moment_belongs_to_the_day_whose_wall_clock_says_so(
    zone: str, start: str, end: str, naive: datetime
) -> None:
    now = naive.replace(tzinfo=UTC, microsecond=0)
    watched = monitor(zone, start, end, 15)
    clock = f"{now.astimezone(watched.timezone):%H:%M:%S}"
    within = start <= clock < end if start < end else clock >= start or clock < end
    found = local_time.day_at(watched, now)
    local = now.astimezone(watched.timezone)
    changes = {(local + timedelta(hours=hours)).utcoffset() for hours in range(-26, 27)}
    if len(changes) == 1:  # near a change, what the clock shows is not enough to know
        assert (found is not None) == within
    if found is not None:
        assert found.starts_at <= now < found.ends_at


NO_VISITS = [
    ("Europe/Amsterdam", "2026-03-28", ["2026-03-29T00:00+01:00", "2026-03-29T03:00+02:00", "2026-03-29T05:00+02:00"]),
    (
        "Europe/Amsterdam",
        "2026-10-24",
        ["2026-10-25T00:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00", "2026-10-25T05:00+01:00"],
    ),
    ("America/New_York", "2026-03-07", ["2026-03-08T00:00-05:00", "2026-03-08T03:00-04:00", "2026-03-08T05:00-04:00"]),
    (
        "Australia/Lord_Howe",
        "2026-10-03",
        ["2026-10-04T00:00+10:30", "2026-10-04T02:30+11:00", "2026-10-04T04:30+11:00"],
    ),
    ("America/Santiago", "2026-09-05", ["2026-09-06T01:00-03:00", "2026-09-06T03:00-03:00", "2026-09-06T05:00-03:00"]),
]


@pytest.mark.parametrize(("zone", "day", "expected"), NO_VISITS, ids=[f"{zone} {day}" for zone, day, _ in NO_VISITS])
def test_a_night_without_visits_from_ten_to_six(zone: str, day: str, expected: list[str]) -> None:
    watched = monitor(zone, "22:00", "06:00", 120)
    begins, ends = local_time.bounds(watched.timezone, date.fromisoformat(day), "22:00", "06:00")
    world = InMemoryWorld(Settings(event_service_url=HttpUrl("http://127.0.0.1:9"), monitors=(watched,)), [])
    now = begins
    while now <= ends:
        world.run(now)
        now += timedelta(minutes=10)
    fired = [at for name, at, _ in world.records() if name == "ALARM_SENT"]
    assert fired == [datetime.fromisoformat(moment) for moment in expected]
    assert [seconds(at) for at in fired] == [at for _, at in alarms([], seconds(begins), seconds(ends), 7200)]
    ((dates, result),) = world.db.execute("SELECT group_concat(local_date), min(result) FROM status_check").fetchall()
    assert (dates, result) == (day, "ALARM_RAISED")
    world.close()
