"""Which requests a pass makes, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pollctl_soc_sections.client import Target
from pollctl_soc_sections.fetch import is_stale, stale_targets
from pollctl_soc_sections.model import FetchState

NOON = datetime(2026, 8, 3, 16, tzinfo=UTC)

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "every", "expected"),
    [
        (FetchState(), DAY, True),
        (FetchState(), timedelta(), False),
        (FetchState(None, 5, NOON - DAY, NOON - DAY), DAY, True),
        (FetchState(None, 5, NOON - DAY / 2, NOON - DAY / 2), DAY, False),
        (FetchState(None, 5, NOON - DAY, NOON - timedelta(minutes=14)), DAY, False),
        (FetchState(None, 5, NOON - DAY, NOON - timedelta(minutes=15)), DAY, True),
        (FetchState(None, 0, None, NOON - timedelta(minutes=1), has_failed_first=True), DAY, True),
        (FetchState(None, 5, NOON + DAY, NOON + DAY), DAY, True),
        (FetchState(None, 0, NOON - timedelta(minutes=15), NOON - timedelta(minutes=15)), DAY, True),
        (FetchState(None, 0, NOON - timedelta(minutes=14), NOON - timedelta(minutes=14)), DAY, False),
    ],
    ids=[
        "none yet",
        "never",
        "old",
        "young",
        "just failed",
        "failed a while ago",
        "never read",
        "clock stepped back",
        "empty a while ago",
        "just empty",
    ],
)
def test_when_a_catalogue_is_read(state: FetchState, every: timedelta, expected: bool) -> None:
    assert is_stale(state, NOON, every) is expected


def test_the_catalogue_that_was_requested_longest_ago_comes_first() -> None:
    failed = [FetchState(None, 0, None, NOON - age * timedelta(minutes=1), has_failed_first=True) for age in (1, 3, 2)]
    targets = [Target("92026", campus, known) for campus, known in zip("ABCD", [*failed, FetchState()], strict=True)]
    assert [target.campus for target in stale_targets(targets, NOON, DAY)] == ["D", "B", "C", "A"]
