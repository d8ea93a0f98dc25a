"""SIGKILL at random moments from submission to the last end: each run ends as it does when nobody disturbs it.

``POLLCTL_KILLS`` sets how many passes are killed; the seed is printed.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from campaign import figure, size
from place import Place, was_killed

from pollctl import to_text
from pollctl_shell_query.fake import COMPLETE, PROCESSING, QUEUED, FakeMarketingCloud, Step

KILLS = int(os.environ.get("POLLCTL_KILLS", size(25, 200)))
SEED = int(os.environ.get("POLLCTL_SEED", "1502"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
STEP_S = 31
SCRIPTS = {
    "plain": [QUEUED, COMPLETE],
    "wrong": [PROCESSING, Step(status="Error", error="Ambiguous column name")],
    "canceled": [QUEUED, Step(status="Canceled")],
    "hanging": [QUEUED],
    "own": [QUEUED, COMPLETE],
}
"""What is said of the runs of each name; REST says that none of them runs."""


class World(Place):
    """One database, one upstream, and a clock that goes on with each pass."""

    def __init__(self, folder: Path, upstream: FakeMarketingCloud, dice: random.Random) -> None:
        super().__init__(folder)
        self.upstream, self.dice = upstream, dice
        self.passes = self.submitted = 0
        upstream.scripts = {f"{name}-{number}": steps for name, steps in SCRIPTS.items() for number in range(500)}
        upstream.running = [False]
        settings = upstream.settings(window="0s", backoff_max="1s", max_active=4, stuck_after="40s")
        self.settings("[pollctl.outbox]\nmax_attempts = 100", settings)

    def env_at(self, now: str) -> dict[str, str]:
        """Where nothing else is said the clock stands as far as the passes have gone."""
        return super().env_at(now or to_text(START + timedelta(seconds=STEP_S * self.passes)))

    def add_runs(self) -> None:
        """One run of each name."""
        for name in SCRIPTS:
            where = ("--create-target", "id:Text(9)") if name == "own" else ("--target", f"DE {name}")
            words = ("shell-query", "submit", "--sql", f"SELECT '{name}'", *where, "--name", f"{name}-{self.submitted}")
            self.do(*words)
        self.submitted += 1

    def open_runs(self) -> int:
        ((number,),) = self.sql("SELECT count(*) FROM shell_query_runs WHERE completed_at IS NULL")
        return int(number)

    def start_pass(self) -> subprocess.Popen[str]:
        self.passes += 1
        return self.popen("run", "shell_query", stdout=subprocess.DEVNULL)

    def timed_pass(self) -> float:
        """A whole pass as a process; answers how long it took."""
        began = time.monotonic()
        process = self.start_pass()
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return time.monotonic() - began

    def kill_a_pass(self, longest: float) -> bool:
        """Kill a pass somewhere on its way; answers whether it was still under way."""
        process = self.start_pass()
        time.sleep(self.dice.uniform(0.2, 1.0) * longest)
        return was_killed(process)

    def go_on(self) -> None:
        """Passes until every run has ended and is cleaned up."""
        for _ in range(60):
            self.passes += 1
            self.do("run", "shell_query")
            waiting = self.sql("SELECT 1 FROM outbox WHERE status IN ('pending', 'sending') LIMIT 1")
            if not self.open_runs() and not waiting:
                return
        raise AssertionError(self.sql("SELECT * FROM shell_query_runs WHERE completed_at IS NULL"))

    def ends(self) -> dict[str, Any]:
        """How runs of each name ended: all in the same way."""
        found: dict[str, set[Any]] = {}
        for name, *end in self.sql("SELECT name, status, row_count, error_message, sql_text FROM shell_query_runs"):
            found.setdefault(name.partition("-")[0], set()).add(tuple(end))
        return found


def undisturbed(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    with FakeMarketingCloud() as upstream:
        world = World(folder, upstream, random.Random(SEED))
        world.add_runs()
        world.go_on()
        return world.ends()


def test_whenever_a_pass_is_killed_each_run_ends_as_if_nobody_had_disturbed_it(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    expected = undisturbed(tmp_path / "undisturbed")
    assert {name: {end[0] for end in ends} for name, ends in expected.items()} == {
        "plain": {"ready"}, "wrong": {"failed"}, "canceled": {"failed"}, "hanging": {"ready"}, "own": {"ready"},
    }  # fmt: skip
    with FakeMarketingCloud() as upstream:
        (tmp_path / "disturbed").mkdir()
        world = World(tmp_path / "disturbed", upstream, random.Random(SEED))
        world.add_runs()
        longest, killed = world.timed_pass(), 0
        while killed < KILLS:
            if world.open_runs() < 2:
                world.add_runs()
            killed += world.kill_a_pass(longest)
        crashed = world.sql("SELECT count(*) FROM runs WHERE outcome IN ('crashed', 'running')")[0][0]
        world.go_on()
        assert world.ends() == expected
        check(world)
        cut = world.sql("SELECT count(*) FROM outbox WHERE attempts > 1")[0][0]
        twice = sum(number > 1 for number in upstream.performs.values())
        figure(
            f"shell_query: {5 * world.submitted} runs, "
            f"{killed} killed, {crashed} of them within a pass, {cut} deliveries repeated, "
            f"{twice} queries started twice, {upstream.count('token')} tokens"
        )


def check(world: World) -> None:
    """Nothing was made twice, nothing is left, nothing is half-written.

    A definition may have been started twice: a Perform whose answer nobody lived to write down is not told from one that
    never arrived, and a run that was never started would never end.
    """
    upstream = world.upstream
    assert set(upstream.creates.values()) == {1}
    assert len(upstream.creates) == 5 * world.submitted
    assert upstream.definitions == {}
    assert len(upstream.targets) == world.submitted
    assert world.sql("SELECT DISTINCT status FROM outbox") == [("delivered",)]
    assert world.sql("SELECT 1 FROM shell_query_polls WHERE closed_at IS NULL") == []
    ((ready, failed),) = world.sql("SELECT sum(stats ->> 'ready'), sum(stats ->> 'failed') FROM runs")
    assert (ready, failed) == (3 * world.submitted, 2 * world.submitted)
    assert world.sql("PRAGMA integrity_check") == [("ok",)]
