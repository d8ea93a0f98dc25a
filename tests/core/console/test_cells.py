"""What stands in a cell: the same kinds on a terminal and in the report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pollctl import Column, State
from pollctl.console import cells
from pollctl.console.moments import Moments
from pollctl.console.words import lasted, share

MOMENTS = Moments(datetime(2026, 11, 28, 18, 2, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (timedelta(minutes=2, seconds=5), "span", "2 min 5 s"),
        (90, "span", "1 min 30 s"),
        (0.25, "span", "250 ms"),
        (0.058, "share", "5.8 %"),
        (0, "share", "0 %"),
        (1, "share", "100 %"),
        (1420, "milliseconds", "1.4 s"),
        (State("offline", "fail"), "state", "offline"),
        (State("off\x1bline", "fail"), "state", "off\\x1bline"),
        ("ls -l", "code", "ls -l"),
        (None, "span", "-"),
    ],
)
def test_a_value_is_written_as_its_kind_says(value: Any, kind: Any, text: str) -> None:
    assert cells.shown(value, kind, MOMENTS) == text


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (State("ok", "fail"), "fail"),
        ("failed", "fail"),
        ("partial", "warn"),
        ("running", "info"),
        ("ok", "ok"),
        ("odd", "none"),
    ],
)
def test_a_state_has_a_level_of_its_own_or_that_of_its_word(value: Any, level: str) -> None:
    assert cells.standing(value) == level


def test_what_is_counted_stands_to_the_right() -> None:
    kinds: list[Any] = ["number", "milliseconds", "span", "share", "text", "code", "state"]
    assert [Column("x", kind=kind).is_right for kind in kinds] == [True] * 4 + [False] * 3


def test_lengths_and_shares_in_words() -> None:
    assert (lasted(86_400 * 3 + 3600 * 4), share(1 / 3)) == ("3 d 4 h", "33.3 %")
