"""Jobs as rows."""

from __future__ import annotations

import pytest

from pollctl_latency.store.jobs import in_groups


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [([], []), ([5, 5, 5], [[0, 1], [2]]), ([50, 1], [[0], [1]]), ([0] * 30, [list(range(30))])],
    ids=["nothing", "two fit", "one too large alone", "empty jobs"],
)
def test_groups_are_filled_up_to_a_limit(sizes: list[int], groups: list[list[int]]) -> None:
    assert list(in_groups(enumerate(sizes), 10)) == groups
