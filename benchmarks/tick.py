"""What a tick of cron costs in which plugins are due, against `python -c pass`: time and CPU time, medians of runs in turn.

    python benchmarks/tick.py [RUNS]

One, five and ten plugins of which each pass does nothing: what is measured is starting, claiming and recording. Exits 1 when a
figure is over its aim.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from startup import BARE, SCRIPT, SOURCE, Cost, cost, install, minutes_a_day

NUMBERS = (1, 5, 10)
_SLOT_S = 1.05
AIM_OF_FIVE, AIM_OF_ONE_MORE = Cost(22, 25), Cost(2, 3)
"""In times of bare Python."""


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ticks = {number: _tick(number, runs) for number in NUMBERS}
    one_more = Cost(*((ten - five) / 5 for ten, five in zip(ticks[10].ratio, ticks[5].ratio, strict=True)))
    print(f"each further plugin: {one_more.wall:.1f} by the clock, {one_more.cpu:.1f} in CPU time")
    hundred_s = ticks[10].cpu_s + 90 * (ticks[10].cpu_s - ticks[5].cpu_s) / 5
    print(f"a hundred, computed from that: {minutes_a_day(hundred_s):.0f} minutes of CPU a day")
    is_good = _is_within(ticks[5].ratio, AIM_OF_FIVE) and _is_within(one_more, AIM_OF_ONE_MORE)
    return 0 if is_good else 1


class Tick(NamedTuple):
    """What a tick takes: as a ratio to bare Python, and in seconds of CPU time."""

    ratio: Cost
    cpu_s: float


def _tick(number: int, runs: int) -> Tick:
    with tempfile.TemporaryDirectory() as folder:
        env = _installed(Path(folder), number)
        bare, ticks = [], []
        for _ in range(runs):
            bare.append(cost(BARE, Path(folder), env))
            time.sleep(_SLOT_S)
            ticks.append(cost((SCRIPT, "due", "--run"), Path(folder), env))
        counted = _outcomes(folder, env)
    if counted != number * (runs + 1):
        raise SystemExit(f"{counted} passes went well instead of {number * (runs + 1)}")
    ratio = Cost(*(statistics.median(a / b for a, b in zip(*pair, strict=True)) for pair in _by_kind(ticks, bare)))
    tick = Tick(ratio, statistics.median(one.cpu for one in ticks))
    spread = [one.wall * 1000 for one in sorted(ticks)]
    print(
        f"{number:2} due: {ratio.wall:5.1f} by the clock, {ratio.cpu:5.1f} in CPU time; "
        f"{spread[0]:.0f} to {spread[-1]:.0f} ms, bare Python {statistics.median(one.wall for one in bare) * 1000:.1f} ms; "
        f"{minutes_a_day(tick.cpu_s):.1f} minutes of CPU a day"
    )
    return tick


def _by_kind(ticks: Sequence[Cost], bare: Sequence[Cost]) -> list[tuple[list[float], list[float]]]:
    return [([getattr(one, kind) for one in ticks], [getattr(one, kind) for one in bare]) for kind in Cost._fields]


def _installed(folder: Path, number: int) -> dict[str, str]:
    """Plugins that are due each second, have run once, and are of one distribution."""
    names = [f"plugin{index}" for index in range(number)]
    env = install(folder, {name: name for name in names}, SOURCE)
    sections = "".join(f'[plugins.{name}]\nschedule = "* * * * * *"\n' for name in names)
    (folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{sections}')
    subprocess.run((SCRIPT, "due", "--run"), cwd=folder, env=env, check=True, stderr=subprocess.DEVNULL)
    return env


def _outcomes(folder: str, env: dict[str, str]) -> int:
    words = (SCRIPT, "history", "--outcome", "ok", "--limit", "100000", "--json")
    done = subprocess.run(words, cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.count('"outcome"')


def _is_within(ratio: Cost, aim: Cost) -> bool:
    return ratio.wall <= aim.wall and ratio.cpu <= aim.cpu


if __name__ == "__main__":
    sys.exit(main())
