"""Windows of the day (rule 14)."""

from __future__ import annotations

import pytest

from pollctl_soc_sections.model import is_within


@pytest.mark.parametrize(
    ("window", "minute", "expected"),
    [
        ("08:00-22:00", 8 * 60, True), ("08:00-22:00", 22 * 60, True), ("08:00-22:00", 22 * 60 + 1, False),
        ("08:00-22:00", 8 * 60 - 1, False), ("22:00-06:00", 0, True), ("22:00-06:00", 6 * 60, True),
        ("22:00-06:00", 6 * 60 + 1, False), ("22:00-06:00", 22 * 60, True), ("12:00-12:00", 720, True),
        (None, 3, True),
    ],
)  # fmt: skip
def test_a_window_holds_both_its_ends_and_may_wrap_midnight(window: str | None, minute: int, expected: bool) -> None:
    assert is_within(window, minute) is expected
