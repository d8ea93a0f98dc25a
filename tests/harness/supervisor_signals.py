"""Signals to ``due --run``, its passes, or both, while a new one is started every 0.4 s."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from place import obey_interrupts
from plugin_package import command, make_plugin_package
from sink import Sink

START_EVERY_S = 0.4
MOST_SUPERVISORS = 5  # that live at once: more would only wait for the processor
DEADLINE_S, GRACE_S = 4, 1
LONGEST_STOP_S = 7.0  # beyond deadline and grace
STRUCK = 0.6  # of the times there is a signal; else passes come to their end
AT_WORK = 0.8  # of the draws are of supervisors whose passes are at work
PATIENCE_S = 90.0  # until what was left has ended, and until everything has arrived
PLUGINS = ("alpha", "beta")
SIGNALS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT)
TARGETS = ("supervisor", "passes", "both")
MARK = "POLLCTL_TEST_MARK"

_RAISED = r"^(?:\w+: )?[\w.]*(?:Error|Exception|Warning|SystemExit)\b(?!.*KeyboardInterrupt)"
"""The end of a traceback; Python itself says ``KeyboardInterrupt`` of a SIGINT that comes while it is still starting."""

PLUGIN = """
import time
import msgspec
from pollctl import Poller, hookimpl
from sqlite_utils import Migrations

class Settings(msgspec.Struct, frozen=True):
    url: str = ""

class Batch(msgspec.Struct, frozen=True):
    number: int

class State(msgspec.Struct, frozen=True):
    last: int

class Count(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str

migrations = Migrations("NAME")

@migrations()
def m001(db):
    db.execute("CREATE TABLE NAME_counted (number INTEGER PRIMARY KEY) STRICT")

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Counts.", settings=Settings, batch=Batch, state=State, decision=Count,
        migrations=lambda: migrations, effects={"say": "keyed", "shout": "hold"},
    )

@hookimpl
def pollctl_fetch(run):
    for number in range(4):
        time.sleep(0.05)
        yield Batch(number)

@hookimpl
def pollctl_load(db):
    return State(db.execute("SELECT coalesce(max(number), 0) FROM NAME_counted").fetchone()[0])

@hookimpl
def pollctl_decide(state):
    return [Count(state.last + 1, "it is the next")]

@hookimpl
def pollctl_apply(db, decisions, run):
    for one in decisions:
        db.execute("INSERT INTO NAME_counted VALUES (?)", [one.number])
        kind = "say" if one.number % 5 else "shout"
        run.effect(kind, f"NAME {one.number}", {"number": one.number}, lane=f"NAME {one.number % 3}")

@hookimpl
def pollctl_deliver(effect, run):
    run.notify(run.settings.url, title="a number", body=str(effect.payload["number"]), key=effect.key)
"""


class Process(NamedTuple):
    """A process: its number, and when it began, as numbers are given again."""

    pid: int
    began: str

    def send(self, number: int) -> None:
        """Send a signal, if it is still this process."""
        with suppress(ProcessLookupError):
            if process(self.pid) == self:
                os.kill(self.pid, number)


class Tally(NamedTuple):
    """What was done, and what came of it."""

    signals: Counter[str]
    starts: int
    outcomes: Mapping[str, int]
    effects: int
    unknown: int
    repeats: int


class Campaign:
    """Supervisors in a folder of their own, and what is sent to them.

    Args:
        folder: for settings, database and plugins.
        sink: where effects arrive.
        dice: the source of every draw.
    """

    def __init__(self, folder: Path, sink: Sink, dice: random.Random) -> None:
        self._folder = folder
        self._dice = dice
        self._sink = sink
        self._supervisors: list[subprocess.Popen[bytes]] = []
        self._to_wake: list[tuple[float, Process]] = []
        self._sent: Counter[str] = Counter()
        self._starts = 0
        self._env: dict[str, str] = {}
        for name in PLUGINS:
            self._env = make_plugin_package(folder, name, PLUGIN.replace("NAME", name), env=self._env)
        self._env[MARK] = str(folder)
        (folder / "pollctl.toml").write_text(_settings(sink))

    def go(self, signals: int) -> Tally:
        """Send so many signals, let everything come to an end undisturbed, and see that all promises were kept."""
        try:
            self._attack(signals)
            self._end()
        finally:
            for left in self.processes():
                left.send(signal.SIGKILL)
        self._converge()
        return self._judged()

    def processes(self) -> list[Process]:
        """Every process that this campaign has started, directly or not, and that lives."""
        mark = f"{MARK}={self._folder}".encode()
        return [one for one in _all_processes() if mark in _environment_of(one.pid)]

    def _attack(self, signals: int) -> None:
        while self._sent.total() < signals:
            self._supervisors = [one for one in self._supervisors if one.poll() is None]
            if len(self._supervisors) < MOST_SUPERVISORS:
                self._start()
            time.sleep(self._dice.uniform(0, 2 * START_EVERY_S))
            if self._dice.random() < STRUCK:
                self._strike()
            self._wake(time.monotonic())

    def _start(self) -> subprocess.Popen[bytes]:
        self._starts += 1
        with (self._folder / "said").open("ab") as said:
            started = subprocess.Popen(
                command("due", "--run"),
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                preexec_fn=obey_interrupts,  # noqa: PLW1509 - it only sets two signals
            )
        self._supervisors.append(started)
        return started

    def _strike(self) -> None:
        """Send one signal to a supervisor, its passes, or both; what is stopped goes on later."""
        supervisors = [found for found in (process(one.pid) for one in self._supervisors) if found]
        if self._dice.random() < AT_WORK:
            supervisors = [one for one in supervisors if self._is_at_work(one)]
        if not supervisors:
            return
        supervisor = self._dice.choice(supervisors)
        passes = children(supervisor.pid)
        target = self._dice.choice(TARGETS) if passes else "supervisor"
        number = self._dice.choice(SIGNALS)
        victims = {"supervisor": [supervisor], "passes": passes, "both": [supervisor, *passes]}[target]
        for victim in victims:
            victim.send(number)
        if number == signal.SIGSTOP:
            wakes_at = time.monotonic() + self._dice.uniform(0.1, LONGEST_STOP_S)
            self._to_wake += [(wakes_at, victim) for victim in victims]
        self._sent[f"{number.name} to {target}"] += 1

    def _is_at_work(self, supervisor: Process) -> bool:
        """Whether a pass of a supervisor holds its lock: most of a process' life is loading modules."""
        locks = (self._folder / f"pollctl.db.{name}.lock" for name in PLUGINS)
        holders = {lock.read_text().partition(",")[0] for lock in locks if lock.exists()}
        return any(f"[{one.pid}" in holders for one in children(supervisor.pid))

    def _wake(self, now: float) -> None:
        for at, victim in self._to_wake:
            if at <= now:
                victim.send(signal.SIGCONT)
        self._to_wake = [(at, victim) for at, victim in self._to_wake if at > now]

    def _end(self) -> None:
        """Let go on what is stopped; then everything must end by itself."""
        self._wake(float("inf"))
        for one in self._supervisors:
            with suppress(subprocess.TimeoutExpired):
                one.wait(PATIENCE_S)
        is_over = _eventually(lambda: not self.processes(), DEADLINE_S + GRACE_S + 10)
        assert is_over, (
            f"left behind: {[Path('/proc', str(one.pid), 'cmdline').read_bytes() for one in self.processes()]}"
        )

    def _converge(self) -> None:
        """Undisturbed passes until nothing is on its way."""

        def is_settled() -> bool:
            assert self._start().wait(PATIENCE_S) in (0, 1, 3)
            return not self._rows("SELECT 1 FROM outbox WHERE status IN ('pending', 'sending')")

        assert _eventually(is_settled, PATIENCE_S), self._rows("SELECT * FROM outbox WHERE status <> 'delivered'")

    def _judged(self) -> Tally:
        assert self._rows("PRAGMA integrity_check") == [("ok",)]
        assert self._rows("SELECT * FROM runs WHERE outcome = 'running'") == []
        said = (self._folder / "said").read_text(errors="replace")
        assert not re.search(_RAISED, said, re.MULTILINE), said
        effects = self._rows("SELECT key, kind, status FROM outbox")
        for name in PLUGINS:
            numbers = [number for (number,) in self._rows(f"SELECT number FROM {name}_counted ORDER BY 1")]
            assert numbers == list(range(1, len(numbers) + 1)), "a number is missing"
            queued = {key for key, *_ in effects if key.startswith(f"{name} ")}
            assert queued == {f"{name} {number}" for number in numbers}, "state and effects do not belong together"
        for key, kind, status in effects:
            _assert_kept(key, kind, status, self._sink.keys[key])
        assert set(self._sink.keys) <= {key for key, *_ in effects}, "something arrived that nobody queued"
        outcomes = dict(self._rows("SELECT outcome, count(*) FROM runs GROUP BY 1"))
        unknown = sum(status == "unknown" for *_, status in effects)
        repeats = self._sink.keys.total() - len(self._sink.keys)
        return Tally(self._sent, self._starts, outcomes, len(effects), unknown, repeats)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._folder / "pollctl.db", timeout=20)) as db:
            return db.execute(query).fetchall()


def _assert_kept(key: str, kind: str, status: str, arrived: int) -> None:
    """What the outbox says of an effect is what the sink has seen."""
    if kind == "shout":
        assert arrived <= 1, f"{key} may not be repeated, and came {arrived} times"
        assert status == "unknown" or (status, arrived) == ("delivered", 1), (
            f"{key} is {status}, and came {arrived} times"
        )
    else:
        assert status == "delivered", f"{key} is {status}"
        assert arrived, f"{key} is lost"


def _settings(sink: Sink) -> str:
    url = sink.url.replace("http", "json")
    sections = [
        f'[plugins.{name}]\nschedule = "* * * * * *"\nbackoff = "0s"\ndeadline = "{DEADLINE_S}s"\nurl = "{url}"\n'
        for name in PLUGINS
    ]
    core = f'[pollctl]\ndatabase = "pollctl.db"\ngrace = "{GRACE_S}s"\n'
    outbox = '[pollctl.outbox]\nmax_attempts = 1000\nbackoff = "1ms"\nbackoff_max = "1ms"\n'
    notify = f'[pollctl.notify]\nurls = ["{url}/alerts"]\nalert_after = 2\n'
    return "\n".join([core, outbox, notify, *sections])


def process(pid: int) -> Process | None:
    """The process of a number; None where there is none, or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else Process(pid, fields[19])


def children(pid: int) -> list[Process]:
    """The processes that a process has started itself."""
    try:
        numbers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for found in (process(int(number)) for number in numbers) if found]


def _all_processes() -> Iterator[Process]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (found := process(int(entry.name))):
            yield found


def _environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _eventually(is_so: Callable[[], bool], seconds: float) -> bool:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.1)
    return True
