"""Which alarms people must hear of in another way, since the event service does not take them. As pure as decide.py."""

from __future__ import annotations

from collections.abc import Iterator

from pollctl_toilet_gap.model import Batch, Decision, TellUnposted


def decide(batch: Batch) -> Iterator[Decision]:
    """Word of each alarm that did not go out although it was tried several times."""
    for alarm in batch.unposted:
        yield TellUnposted(alarm=alarm, reason=f"{alarm.attempts} attempts to post it failed: {alarm.trouble}")
