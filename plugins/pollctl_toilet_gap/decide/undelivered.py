"""Which alarms people must hear of in another way, since the event service does not take them."""

from __future__ import annotations

from collections.abc import Iterator

from pollctl import counted
from pollctl_toilet_gap.model import Batch, Decision, NotifyUndelivered


def decide(batch: Batch) -> Iterator[Decision]:
    """Notify of each alarm that did not go out although it was tried several times."""
    for alarm in batch.undelivered:
        yield NotifyUndelivered(
            alarm=alarm, reason=f"{counted(alarm.attempts, 'attempt')} to post it failed: {alarm.error}"
        )
