"""Every test of the supervisor in both ways in which it starts a pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ways_of_starting import FORKED, STARTED_ANEW, starting


@pytest.fixture(autouse=True, params=[FORKED, pytest.param(STARTED_ANEW, marks=pytest.mark.slow)])
def _way_of_starting(request: pytest.FixtureRequest) -> Iterator[None]:
    with starting(request.param):
        yield
