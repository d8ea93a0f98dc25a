"""The fake StockX behaves like the real one."""

from __future__ import annotations

from pollctl_stockx_ops.fake import FakeStockX


def test_the_fake_punishes_who_does_not_wait() -> None:
    with FakeStockX(limit=2, per=1, punishment=3) as upstream:
        pauses = [upstream.pause_of(moment) for moment in (10.0, 10.1, 10.2, 12.0, 15.1)]
    assert pauses == [0, 0, 3, 3, 0]
