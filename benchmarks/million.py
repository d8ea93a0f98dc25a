"""What a million effects and a million runs cost: a pass with a deadline of 5 s, and the listings; time, CPU time and memory.

    python benchmarks/million.py [NUMBER]

Exits 1 when a figure is over its budget. The effects lie in lanes of their own, in ten lanes, or all in one; due or not yet.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pollctl.clock import to_text
from pollctl.store.database import open_to_write
from pollctl.store.runs import id_prefix

DEADLINE_S = 5
PLUGIN = """
import msgspec
from pollctl import Poller, hookimpl

class Settings(msgspec.Struct, frozen=True): pass
class Nothing(msgspec.Struct, frozen=True): reason: str = "nothing"

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Sends.", settings=Settings, batch=Nothing, decision=Nothing,
        effects={"word": "keyed", "urgent": "keyed"}, tireless=("urgent",),
    )
@hookimpl
def pollctl_fetch(run): yield Nothing()
@hookimpl
def pollctl_decide(batch): return []
@hookimpl
def pollctl_apply(db, decisions): pass
@hookimpl
def pollctl_deliver(effect): return {}
"""
_RUNS = "INSERT INTO runs (id, plugin, trigger, started_at, finished_at, outcome, duration_ms, trace_id, pid, host) \
VALUES (?,?,'due',?,?,'ok',1,'0',1,'here')"
_EFFECTS = "INSERT INTO outbox (plugin, run_id, kind, key, lane, payload, attempts, next_attempt_at, created_at) \
VALUES (?,?,'word',?,?,?,?,?,?)"
_SCHEDULES = "INSERT OR REPLACE INTO schedules (plugin, last_started_at) VALUES (?,?)"


class Budget(NamedTuple):
    """What a command may take."""

    wall_s: float
    memory_mb: float = 100


class Shape(NamedTuple):
    """How a million effects lie: over how many lanes (0: each in its own), tried how often, and from when on they are due."""

    name: str
    lanes: int
    attempts: int
    due_in: timedelta


class Cost(NamedTuple):
    """What a command took."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    says: str

    def is_within(self, budget: Budget) -> bool:
        """Whether it took no more."""
        return self.wall_s <= budget.wall_s and self.memory_mb <= budget.memory_mb


HOUR = timedelta(hours=1)
PASS = Budget(DEADLINE_S + 0.5)
LISTING = Budget(1.0)
SHAPES = tuple(
    Shape(f"{where}, {when}", lanes, attempts, due_in)
    for where, lanes in (("lanes of their own", 0), ("ten lanes", 10), ("one lane", 1))
    for when, attempts, due_in in (("due", 0, -HOUR), ("not due", 1, HOUR), ("meant for next week", 0, 168 * HOUR))
)
LISTINGS = (
    ("outbox", "list"),
    ("outbox", "list", "--status", "dead"),
    ("outbox", "list", "--plugin", "sender", "--json"),
    ("status",),
    ("history",),
    ("history", "sender", "--json"),
)


def main() -> int:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    is_good = True
    with tempfile.TemporaryDirectory() as place:
        env = _installed(Path(place))
        for shape in SHAPES:
            is_good &= _effects_cost(Path(place), env, shape, number)
        is_good &= _runs_cost(Path(place), env, number)
    return 0 if is_good else 1


def _effects_cost(place: Path, env: dict[str, str], shape: Shape, number: int) -> bool:
    _new_database(place)
    now = datetime.now(UTC)
    with closing(sqlite3.connect(place / "pollctl.db")) as db, db:
        db.executemany(_EFFECTS, _effects(shape, number, now))
    print(f"{number} effects, {shape.name}")
    is_good = _judge(place, env, PASS, "run", "sender", "--deadline", f"{DEADLINE_S}s")
    return is_good & _judge_listings(place, env, LISTINGS[:4])


def _runs_cost(place: Path, env: dict[str, str], number: int) -> bool:
    _new_database(place)
    now = datetime.now(UTC)
    with closing(sqlite3.connect(place / "pollctl.db")) as db, db:
        db.executemany(_RUNS, _runs(number, now))
        db.executemany(_SCHEDULES, [(name, to_text(now)) for name in ("sender", "other")])
    print(f"{number} runs")
    is_good = _judge(place, env, PASS, "run", "sender", "--deadline", f"{DEADLINE_S}s")
    return is_good & _judge_listings(place, env, LISTINGS[3:])


def _effects(shape: Shape, number: int, now: datetime) -> Iterator[tuple[object, ...]]:
    queued = to_text(now - 2 * HOUR)
    due_at = to_text(now + shape.due_in)
    for key in range(number):
        lane = f"lane {key % shape.lanes}" if shape.lanes else str(key)
        yield "sender", "run", str(key), lane, '{"word": "hello"}', shape.attempts, due_at, queued


def _runs(number: int, now: datetime) -> Iterator[tuple[object, ...]]:
    for index in range(number):
        at = now - timedelta(seconds=15 * (number - index))
        yield f"{id_prefix(at)}-{index:08x}", ("sender", "other")[index % 2], to_text(at), to_text(at)


def _judge_listings(place: Path, env: dict[str, str], listings: Sequence[Sequence[str]]) -> bool:
    verdicts = [_judge(place, env, LISTING, *words) for words in listings]
    return all(verdicts)


def _judge(place: Path, env: dict[str, str], budget: Budget, *words: str) -> bool:
    cost = _cost(place, env, words)
    is_good = cost.is_within(budget)
    mark = "  " if is_good else "! "
    says = f"  {cost.says}" if words[0] == "run" else ""
    print(
        f"{mark}{' '.join(words):46} {cost.wall_s:6.2f} s {cost.cpu_s:6.2f} s CPU {cost.memory_mb:6.0f} MB{says}",
        flush=True,
    )
    return is_good


def _cost(place: Path, env: dict[str, str], words: Sequence[str]) -> Cost:
    began = time.monotonic()
    command = [sys.executable, "-P", "-m", "pollctl", *words]
    with (
        (place / "says").open("w+") as says,
        subprocess.Popen(command, cwd=place, env=env, stdout=says, stderr=subprocess.DEVNULL) as child,
    ):
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        says.seek(0)
        lines = says.read().splitlines()
    wall_s = time.monotonic() - began
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, lines[-1] if lines else "")


def _new_database(place: Path) -> None:
    for file in place.glob("pollctl.db*"):
        file.unlink()
    open_to_write(place / "pollctl.db").close()


def _installed(place: Path) -> dict[str, str]:
    info = place / "sender-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sender\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pollctl]\nsender = sender\n")
    (place / "sender.py").write_text(PLUGIN)
    (place / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\n[plugins.sender]\n')
    return {**os.environ, "PYTHONPATH": str(place), "HOME": str(place)}


if __name__ == "__main__":
    sys.exit(main())
