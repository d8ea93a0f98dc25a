"""What starting pollctl costs, against `python -c pass`: pairs of whole processes, A B A B ..., and the ratios of their times.

    python benchmarks/startup.py [PAIRS]

Exits 1 when a median is over its aim, which is one by the clock or one in CPU time; the first one is where pollctl chooses WAL,
since there is no stamp. Everything runs once before it is measured, so that byte code is written.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PLUGINS = ("one", "two", "three", "four", "five")
SOURCE = """
import msgspec
from pollctl import Poller, hookimpl

class Settings(msgspec.Struct, frozen=True): pass
class Nothing(msgspec.Struct, frozen=True): reason: str = "nothing"

@hookimpl
def pollctl_poller(): return Poller(contract=1, summary="Does nothing.", settings=Settings, batch=Nothing, decision=Nothing)
@hookimpl
def pollctl_fetch(run): yield Nothing()
@hookimpl
def pollctl_decide(batch): return []
@hookimpl
def pollctl_apply(db, decisions): pass
"""
BARE = (sys.executable, "-c", "pass")
SCRIPT = str(Path(sys.executable).with_name("pollctl"))


class Case(NamedTuple):
    """A command line of pollctl, and how many times as much as bare Python it may take.

    Attributes:
        is_stamped: whether the stamp beside the database may stay.
    """

    name: str
    arguments: Sequence[str]
    aim: Cost
    is_stamped: bool = True


class Cost(NamedTuple):
    """What a process and its children took, by the clock and in CPU time: seconds, or a ratio to bare Python's; and its memory."""

    wall: float = math.inf
    cpu: float = math.inf
    mb: float = math.inf


CASES = (
    Case("due --run, idle", ("due", "--run"), Cost(wall=1.1)),
    Case("without a stamp", ("due", "--run"), Cost(wall=1.35), is_stamped=False),
    Case("due, evaluated", ("due",), Cost(wall=7.5)),
    Case("--help", ("--help",), Cost(wall=6.5)),
    Case("a pass by hand", ("run", "one"), Cost(cpu=11.5)),
)


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        env = _installed(Path(folder))
        results = [_measured(case, pairs, Path(folder), env) for case in CASES]
    return 0 if all(results) else 1


def _installed(folder: Path) -> dict[str, str]:
    """Five plugins whose passes have all run and come again in half a year, and the environment that has them."""
    env = install(folder, {name: name for name in PLUGINS}, SOURCE)
    month = time.gmtime(time.time() + 180 * 86400).tm_mon
    sections = "".join(f'[plugins.{name}]\nschedule = "0 0 1 {month} *"\n' for name in PLUGINS)
    (folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{sections}')
    time.sleep(0.1)  # settings younger than the process that reads them are not relied on
    subprocess.run((SCRIPT, "due", "--run"), cwd=folder, env=env, check=True)
    return env


def install(folder: Path, plugins: Mapping[str, str], source: str) -> dict[str, str]:
    """Install plugins, by their entry points, in modules of the same source; answers the environment that has them."""
    site = folder / "site"
    info = site / "benchmark-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: benchmark\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pollctl]\n" + "".join(f"{name} = {at}\n" for name, at in plugins.items()))
    for entry_point in plugins.values():
        (site / f"{entry_point.partition(':')[0]}.py").write_text(source)
    return {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(site)}


def _measured(case: Case, pairs: int, folder: Path, env: dict[str, str]) -> bool:
    command = (SCRIPT, *case.arguments)
    if not case.is_stamped:
        (folder / "pollctl.db.idle").unlink(missing_ok=True)
    cost(command, folder, env)
    bare, ours = [], []
    for _ in range(pairs):
        bare.append(cost(BARE, folder, env))
        ours.append(cost(command, folder, env))
    wall = sorted(mine.wall / base.wall for mine, base in zip(ours, bare, strict=True))
    cpu = sorted(mine.cpu / base.cpu for mine, base in zip(ours, bare, strict=True))
    spent = statistics.median(one.cpu for one in ours)
    print(
        f"{case.name:16} {_spread(wall, case.aim.wall)} by the clock, {_spread(cpu, case.aim.cpu)} in CPU time: "
        f"{spent * 1000:.1f} ms, bare Python {statistics.median(one.cpu for one in bare) * 1000:.1f} ms; "
        f"{minutes_a_day(spent):.1f} minutes a day, where it runs each minute"
    )
    return statistics.median(wall) <= case.aim.wall and statistics.median(cpu) <= case.aim.cpu


def _spread(ratios: Sequence[float], aim: float) -> str:
    wanted = f", aim {aim:.2f}" if aim < math.inf else ""
    return f"{statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}{wanted})"


def minutes_a_day(seconds: float) -> float:
    """What something comes to in a day that takes so long once a minute."""
    return seconds * 24 * 60 / 60


def cost(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Cost:
    """What a command costs that ends well."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command} ended with {child.returncode}")
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
