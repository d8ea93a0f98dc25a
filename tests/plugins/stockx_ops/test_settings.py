"""The section of the settings."""

from __future__ import annotations

import pytest

from pollctl_stockx_ops.model import Settings


@pytest.mark.parametrize("rate", ["", "1", "0/s", "1/d", "-1/s", "1.5/s", "1 /s", "²/s"])
def test_what_is_not_a_valid_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match='write "1/s"'):
        Settings(rate=rate)


def test_a_rate_is_a_distance() -> None:
    assert [Settings(rate=rate).interval for rate in ("1/s", "30/m", "100/h", "1000/s")] == [1, 2, 36, 0.001]
