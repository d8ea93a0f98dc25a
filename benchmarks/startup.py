"""What starting pollctl costs, against `python -c pass`: pairs of whole processes, A B A B ..., and their ratios.

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
class Nothing(msgspec.Struct, frozen=True): pass

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
    """A command line of pollctl, and how many times as long as bare Python it may take."""

    name: str
    arguments: Sequence[str]
    budget: float


CASES = (
    Case("due --run, idle", ("due", "--run"), 2.0),
    Case("due, reckoned", ("due",), 10.0),
    Case("--help", ("--help",), 8.0),
)


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
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
    _seconds(command, folder, env)
    bare, ours = [], []
    for _ in range(pairs):
        bare.append(_seconds(BARE, folder, env))
        ours.append(_seconds(command, folder, env))
    ratios = [mine / base for mine, base in zip(ours, bare, strict=True)]
    median = statistics.median(ratios)
    print(
        f"{case.name:16} {min(ratios):5.2f} {median:5.2f} {max(ratios):5.2f} (min median max), "
        f"budget {case.budget:4.1f}; median {statistics.median(ours) * 1000:.1f} ms, "
        f"bare Python {statistics.median(bare) * 1000:.1f} ms"
    )
    return median <= case.budget


def _seconds(command: Sequence[str], folder: Path, env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
