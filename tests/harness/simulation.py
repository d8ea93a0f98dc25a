"""Seeded worlds: an upstream that repeats itself and tells old news, a sink that fails, a clock that jumps, passes that die.

Each pass is the real engine on a real database, in a forked process that dies by SIGKILL at a chosen statement or before or
after a chosen delivery. Effects are delivered in order and not in threads, so that a seed tells the same story each time.

``PYTHONPATH=tests:tests/harness python -c 'import simulation; simulation.main()' FIRST LAST STEPS`` plays the seeds from FIRST to before LAST.
"""

from __future__ import annotations

import functools
import gc
import importlib.metadata
import json
import os
import random
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple

from campaign import folder_in_memory
from plugin_package import make_plugin_package
from promises import MOST_ATTEMPTS, check_end, check_pass

from pollctl import DeliveryError, Effect, to_text
from pollctl.concurrency import daemon_executor
from pollctl.concurrency.cancellation import Stop
from pollctl.config import settings
from pollctl.passes import engine
from pollctl.plugin_host import discovery, loader
from pollctl.store import database
from pollctl.store.authorizer import AuthorizedConnection

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ITEMS = ("soft-a", "soft-b", "loud-a", "loud-c", "soft-c")
MOODS = ("well", "well", "down", "answer lost", "refusing")
SETTINGS = f"""
[pollctl]
database = "pollctl.db"
[pollctl.outbox]
backoff = "30s"
backoff_max = "5m"
max_attempts = {MOST_ATTEMPTS}
[plugins.counter]
backoff = "0s"
"""


class Arrival(NamedTuple):
    """One line of the sink's log: an attempt began, or arrived, in pass number *turn*."""

    turn: int
    key: str
    what: str
    payload: Any


class World:
    """One seed: everything outside the product, and the passes.

    Args:
        seed: decides everything.
        folder: an empty one.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.dice = random.Random(seed)
        self.seed, self.folder = seed, folder
        self.now = START
        self.versions = dict.fromkeys(ITEMS, 1)
        self.mood = "well"
        self.turn = 0
        self.killed: set[int] = set()
        self.settled: dict[str, int] = {}  # by key: the first pass after which it was seen as delivered
        self.log = os.open(folder / "sink.log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._death = ""
        self._fetch: list[list[tuple[str, int]] | None] = []
        (folder / "pollctl.toml").write_text(SETTINGS)
        self._config = settings.load(folder / "pollctl.toml")
        self._found = discovery.find("counter")

    # what the plugin meets

    def reports(self) -> Iterator[list[tuple[str, int]] | None]:
        """What the upstream says in this pass, in batches; None for one that could not be had."""
        yield from self._fetch

    def take(self, effect: Effect) -> str:
        """The sink: it may be down, refuse for good, lose its answer, or have the pass killed."""
        self._note("began", effect)
        chance = zlib.crc32(f"{self.seed}:{self.turn}:{effect.key}".encode()) % 100
        if self._death == "before a delivery" and chance < 30:
            die()
        if self.mood == "down" and chance < 80:
            raise DeliveryError("down", retry_after=chance if chance % 2 else None)
        if self.mood == "refusing" and chance < 5:
            self._note("refused", effect)
            raise DeliveryError("never", permanent=True)
        self._note("arrived", effect)
        if self._death == "after a delivery" and chance < 30:
            die()
        if self.mood == "answer lost" and chance < 50:
            self._note("answer lost", effect)
            raise DeliveryError("no answer", uncertain=True)
        return "taken"

    def _note(self, what: str, effect: Effect) -> None:
        line = json.dumps([self.turn, effect.key, what, effect.payload])
        os.write(self.log, f"{line}\n".encode())

    def arrivals(self) -> list[Arrival]:
        """The sink's log."""
        return [Arrival(*json.loads(line)) for line in (self.folder / "sink.log").read_text().splitlines()]

    # what happens

    def step(self) -> None:
        """One step of the story."""
        choice = self.dice.random()
        if choice < 0.3:
            self.versions[self.dice.choice(ITEMS)] += 1
        elif choice < 0.47:
            self.now += timedelta(seconds=self.dice.choice([1, 20, 60, 300, 3600, -2, -90]))
        elif choice < 0.65:
            self.mood = self.dice.choice(MOODS)
        else:
            deaths = ("", "", "", "at a statement", "at a statement", "before a delivery", "after a delivery")
            self.run(self.dice.choice(deaths))

    def end(self) -> None:
        """Let everything come to rest: the upstream tells all, the sink takes all, nothing is killed."""
        self.mood = "well"
        for _ in range(3):
            self.now += timedelta(hours=2)
            self.run("")

    def run(self, death: str) -> None:
        """One pass in a process of its own, which may die."""
        self.turn += 1
        self._death = death
        self._fetch = self._news()
        fatal = self.dice.randint(1, 110) if death == "at a statement" else 0
        child = os.fork()
        if not child:
            self._pass(fatal)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            assert death, f"pass {self.turn} died by signal {os.WTERMSIG(status)}"
            self.killed.add(self.turn)
            return
        assert os.WEXITSTATUS(status) == 0, f"pass {self.turn} failed: {(self.folder / 'error').read_text()}"
        check_pass(self)

    def _news(self) -> list[list[tuple[str, int]] | None]:
        """Batches of reports: some twice, some of long ago, in any order."""
        reports = list(self.versions.items())
        reports += [(name, self.dice.randint(1, version)) for name, version in reports if self.dice.random() < 0.4]
        self.dice.shuffle(reports)
        cut = self.dice.randint(1, len(reports))
        batches: list[list[tuple[str, int]] | None] = [reports[:cut], reports[cut:]]
        if self.mood == "down" and self.dice.random() < 0.3:
            batches[self.dice.randint(0, 1)] = None
        return batches

    def _pass(self, fatal: int) -> None:
        """The life of the forked process."""
        try:
            os.environ["POLLCTL_NOW"] = to_text(self.now)
            Statements.left = fatal
            report = engine.run_pass(self._config, self._found, trigger="manual", stop=Stop())
            assert report.outcome != "failed" or report.error, report
            assert report.error is None or report.error["type"] in ("Undelivered", "Unreached"), report.error
        except BaseException as error:
            with suppress(OSError):
                (self.folder / "error").write_text(f"{type(error).__name__}: {error}")
            os._exit(1)
        os._exit(0)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Statements(AuthorizedConnection):
    """A connection that counts its statements down and has the process killed before the last of them."""

    left = 0

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.set_trace_callback(self._count)

    def _count(self, _: str) -> None:
        Statements.left -= 1
        if Statements.left == 0:
            die()


class InOrder:
    """An executor that makes each call at once."""

    def __init__(self, _: int) -> None:
        pass

    def reserve(self, count: int) -> int:
        return count

    def submit(self, function: Callable[[Effect], Any], effect: Effect) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(effect))
        except DeliveryError as error:
            future.set_exception(error)
        return future

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        pass


_world: list[World] = []


def world() -> World:
    """The world that is being played."""
    return _world[-1]


def play(seed: int, steps: int) -> World:
    """Play one seed to its end.

    Raises:
        AssertionError: a promise was broken.
    """
    with folder_in_memory() as folder:
        _world[:] = [World(seed, Path(folder))]
        try:
            for _ in range(steps):
                world().step()
            world().end()
            check_end(world())
        finally:
            os.close(world().log)
        return world()


def install(module: ModuleType, folder: Path) -> None:
    """Put the plugin and the borders in place, in this process."""
    source = f"from {module.__name__} import *\n"
    site = make_plugin_package(folder, "counter", source)["PYTHONPATH"]
    sys.path.insert(0, site)
    stand_ins: tuple[tuple[ModuleType, str, object], ...] = (
        (database, "AuthorizedConnection", Statements),
        (daemon_executor, "DaemonExecutor", InOrder),
        # Which plugins are installed does not change while it plays, and looking takes longer than the pass.
        (importlib.metadata, "entry_points", functools.cache(importlib.metadata.entry_points)),
    )
    for where, name, stand_in in stand_ins:
        setattr(where, name, stand_in)
    loader.load(discovery.find("counter"))  # so that not each pass has to look again
    importlib.import_module("croniter")


def main() -> None:
    """Play the seeds that the command line names and say what came of them."""
    import simulation_plugin

    first, last, steps = map(int, sys.argv[1:])
    with TemporaryDirectory() as folder:
        install(simulation_plugin, Path(folder))
        gc.freeze()
        passes = killed = 0
        for seed in range(first, last):
            try:
                played = play(seed, steps)
            except AssertionError as error:
                words = f"'import simulation; simulation.main()' {seed} {seed + 1} {steps}"
                raise SystemExit(f"seed {seed}: {error}\nPYTHONPATH=tests:tests/harness python -c {words}") from error
            passes, killed = passes + played.turn, killed + len(played.killed)
    print(json.dumps({"passes": passes, "killed": killed}))
