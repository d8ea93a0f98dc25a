"""The rules, pure: no I/O, no clock, no chance.

``messages`` finds the check of each message, ``days`` begins checks, ``checks`` folds events into the windows of each
check and sees whether it ends, ``undelivered`` names alarms that did not go out, ``expiry`` deletes what is old.
"""

from __future__ import annotations

from datetime import datetime

from pollctl_toilet_gap.decide import checks, days, expiry, messages, undelivered
from pollctl_toilet_gap.model import Batch, Decision, Settings, State


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """Everything that follows from one batch."""
    return [
        *messages.decide(state, batch, now, settings),
        *days.decide(state, batch, now, settings),
        *checks.decide(state, batch, now, settings),
        *undelivered.decide(batch),
        *expiry.decide(batch),
    ]
