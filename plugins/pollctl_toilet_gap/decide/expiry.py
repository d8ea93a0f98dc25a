"""What is older than the settings keep."""

from __future__ import annotations

from collections.abc import Iterator

from pollctl import counted
from pollctl_toilet_gap.model import Batch, Decision, Expire


def decide(batch: Batch) -> Iterator[Decision]:
    """Delete what fetch found to be too old."""
    if batch.expired is not None:
        checks = counted(len(batch.expired.checks), "check")
        letters = " and old dead letters" if batch.expired.letters_before else ""
        yield Expire(expired=batch.expired, reason=f"{checks}{letters} kept long enough")
