"""Random worlds: an upstream that repeats itself, a sink that fails, a clock that jumps, passes that are killed.

``POLLCTL_CAMPAIGN=full`` for 2,000 seeds of 200 steps; ``POLLCTL_SEED`` is the first. A seed that breaks a promise says how to
play it alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from campaign import SEED, WORKERS, figure, size

pytestmark = pytest.mark.slow

SEEDS, STEPS = size(20, 2000), size(60, 200)
TESTS = Path(__file__).parents[1]


def play(first: int, last: int) -> Counter[str]:
    """Play the seeds from *first* to before *last* in a process that may fork, as it has no threads."""
    words = ("import simulation; simulation.main()", str(first), str(last), str(STEPS))
    env = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS / 'harness'}"}
    done = subprocess.run([sys.executable, "-c", *words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return Counter(json.loads(done.stdout))


@pytest.mark.timeout(7200)
def test_the_promises_hold_in_random_worlds() -> None:
    borders = [SEED + SEEDS * part // WORKERS for part in range(WORKERS + 1)]
    with ThreadPoolExecutor(WORKERS) as side_by_side:
        played = sum(side_by_side.map(play, borders[:-1], borders[1:]), Counter[str]())
    assert played["killed"] > SEEDS, "hardly a pass was killed"
    figure(
        f"simulation: {SEEDS} seeds of {STEPS} steps, {played['passes']} passes, {played['killed']} of them killed: "
        "every promise held"
    )
