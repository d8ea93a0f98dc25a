"""SIGKILL at random moments of every plugin's passes, against a sink that counts by key: nothing lost, nothing doubled by key.

``POLLCTL_CAMPAIGN=full`` kills 10,000 passes, spread over the plugins; otherwise it is 1,000, and ``POLLCTL_KILLS`` sets another
number. ``POLLCTL_SEED`` repeats a draw, as far as the machine lets moments be repeated.
"""

from __future__ import annotations

import os

import pytest
from campaign import IS_FULL, SEED, WORKERS, figure, side_by_side, size
from random_kills import Killing, Tally, kill_at_random
from worlds.every import every

IN_ALL = int(os.environ.get("POLLCTL_KILLS", size(1000, 10_000)))
BY_ONE = -(-IN_ALL // (len(every()) * WORKERS))
"""Kills of one plugin by one worker, rounded up."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.mark.skipif(IS_FULL, reason="the full campaign tells each plugin's story by itself")
def test_whenever_a_pass_is_killed_nothing_is_lost_or_doubled() -> None:
    hunt(list(every()))


@pytest.mark.skipif(not IS_FULL, reason="takes many minutes: POLLCTL_CAMPAIGN=full")
@pytest.mark.parametrize("plugin", every())
def test_whenever_a_pass_of_a_plugin_is_killed_nothing_is_lost_or_doubled(plugin: str) -> None:
    hunt([plugin])


def hunt(plugins: list[str]) -> None:
    killings = [Killing(plugin, BY_ONE, f"{SEED} {plugin} {worker}") for plugin in plugins for worker in range(WORKERS)]
    tally = Tally(*map(sum, zip(*side_by_side(kill_at_random, killings), strict=True)))
    assert tally.crashed > tally.killed / 3, f"too few kills hit the pass itself: {tally}"
    figure(
        f"random kills, {', '.join(plugins)}: {tally.killed} passes killed, {tally.crashed} found dead by the next, "
        f"{tally.effects} effects, none lost, none doubled by key, {tally.repeats} arrived again under the same key"
    )
