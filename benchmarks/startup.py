"""What starting pollctl costs, against `python -c pass`: pairs of whole processes, A B A B ..., and the ratios of their times.

    python benchmarks/startup.py [PAIRS]

Exits 1 when a median is over its budget. Everything runs once before it is measured, so that byte code is written.
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
    """A command line of pollctl, and how many times as long as bare Python it may take; by the clock, or in CPU time."""

    name: str
    arguments: Sequence[str]
    budget: float
    counts_cpu: bool = False


CASES = (
    Case("due --run, idle", ("due", "--run"), 1.35),
    Case("due, reckoned", ("due",), 7.5),
    Case("--help", ("--help",), 6.5),
    Case("a pass by hand", ("run", "one"), 11.5, counts_cpu=True),
)


class Cost(NamedTuple):
    """Seconds that a process and its children took, by the clock and in CPU time."""

    wall: float
    cpu: float


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        env = _installed(Path(folder))
        results = [_measured(case, pairs, Path(folder), env) for case in CASES]
    return 0 if all(results) else 1


def _installed(folder: Path) -> dict[str, str]:
    """Five plugins whose passes have all run and come again in half a year, and the environment that has them."""
    site = folder / "site"
    info = site / "five-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: five\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pollctl]\n" + "".join(f"{name} = {name}\n" for name in PLUGINS))
    for name in PLUGINS:
        (site / f"{name}.py").write_text(SOURCE)
    month = time.gmtime(time.time() + 180 * 86400).tm_mon
    sections = "".join(f'[plugins.{name}]\nschedule = "0 0 1 {month} *"\n' for name in PLUGINS)
    (folder / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{sections}')
    env = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(site)}
    time.sleep(0.1)  # settings younger than the process that reads them are not relied on
    subprocess.run((SCRIPT, "due", "--run"), cwd=folder, env=env, check=True)
    return env


def _measured(case: Case, pairs: int, folder: Path, env: dict[str, str]) -> bool:
    command = (SCRIPT, *case.arguments)
    cost(command, folder, env)
    bare, ours = [], []
    for _ in range(pairs):
        bare.append(cost(BARE, folder, env))
        ours.append(cost(command, folder, env))
    wall = sorted(mine.wall / base.wall for mine, base in zip(ours, bare, strict=True))
    cpu = sorted(mine.cpu / base.cpu for mine, base in zip(ours, bare, strict=True))
    print(
        f"{case.name:16} {_spread(wall)} by the clock, {_spread(cpu)} in CPU time; "
        f"budget {case.budget:4.1f} {'CPU' if case.counts_cpu else ''}; "
        f"median {statistics.median(one.cpu for one in ours) * 1000:.1f} ms of CPU, "
        f"bare Python {statistics.median(one.cpu for one in bare) * 1000:.1f}"
    )
    return statistics.median(cpu if case.counts_cpu else wall) <= case.budget


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def cost(command: Sequence[str], folder: Path, env: dict[str, str]) -> Cost:
    """What a command costs that ends well."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command} ended with {child.returncode}")
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    sys.exit(main())
