"""SIGKILL, SIGSTOP and SIGCONT, SIGTERM and SIGINT at random moments, to `due --run`, its passes, or both.

Nothing is lost, nothing doubled by key, no state half-written, no process left. ``POLLCTL_CAMPAIGN=full`` sends 1,000 signals,
otherwise it is 40, and ``POLLCTL_SIGNALS`` sets another number. ``POLLCTL_SEED`` repeats a draw, as far as the machine lets
moments be repeated.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from campaign import SEED, figure, folder_in_memory, size
from sink import Sink
from supervisor_signals import Campaign

COUNT = int(os.environ.get("POLLCTL_SIGNALS", size(40, 1000)))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def test_whoever_is_signalled_whenever_nothing_is_lost_or_doubled() -> None:
    with folder_in_memory() as place, Sink() as sink:
        tally = Campaign(Path(place), sink, random.Random(SEED)).go(COUNT)
    assert tally.outcomes["ok"]
    assert {"interrupted", "crashed"} & set(tally.outcomes), f"no signal hit a pass: {tally}"
    by_signal: Counter[str] = Counter()
    for words, number in tally.signals.items():
        by_signal[words.split()[0]] += number
    sent = ", ".join(f"{number} {name}" for name, number in sorted(by_signal.items()))
    ended = ", ".join(f"{number} {outcome}" for outcome, number in sorted(tally.outcomes.items()))
    figure(
        f"signals to supervisors and passes: {by_signal.total()} ({sent}) in {tally.starts} starts, passes: {ended}; "
        f"{tally.effects} effects, none lost, none doubled by key, {tally.repeats} arrived again under the same key, "
        f"{tally.unknown} unknown of a kind that may not be repeated, no process left"
    )
