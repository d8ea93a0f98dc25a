"""Moments and lengths of time in messages (people.md 9 and 12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pollctl import counted, spoken_length, spoken_moment, spoken_number
from pollctl.console import cells

NIGHT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "spoken"),
    [
        (NIGHT, "Europe/Berlin", "2026-10-25 02:30 CEST"),
        (NIGHT + timedelta(hours=1), "Europe/Berlin", "2026-10-25 02:30 CET"),
        (NIGHT + timedelta(seconds=7), "America/New_York", "2026-10-24 20:30:07 EDT"),
        (NIGHT, "Asia/Dubai", "2026-10-25 04:30 Asia/Dubai"),
        (NIGHT, "UTC", "2026-10-25 00:30 UTC"),
    ],
    ids=str,
)
def test_a_moment_is_that_of_the_zone_with_its_name(moment: datetime, zone: str, spoken: str) -> None:
    assert spoken_moment(moment, ZoneInfo(zone)) == spoken


def test_lengths_numbers_and_counts_are_as_a_person_says_them() -> None:
    assert spoken_length(timedelta(hours=2, minutes=10, seconds=4)) == "2 h 10 min"
    assert (spoken_number(100 / 3), spoken_number(50.0)) == ("33.33", "50")
    assert (counted(1, "check"), counted(2, "check"), counted(2, "batch", "batches")) == (
        "1 check",
        "2 checks",
        "2 batches",
    )


def test_a_number_in_a_pipe_has_three_places_or_three_digits() -> None:
    numbers = {100 / 3: "33.333", 0.00012345: "0.000123", 0.5: "0.5", 129.5: "129.5", 1 / 3: "0.333", -7.0: "-7.0"}
    assert {number: cells.plain(number) for number in numbers} == numbers
