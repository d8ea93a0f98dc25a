"""SIGKILL at random moments of toilet_gap passes over a day: the rows and the alarms are those of an undisturbed one.

``POLLCTL_KILLS`` sets how many passes are killed; the seed is printed.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from campaign import figure, size
from place import Place, was_killed
from plugins.toilet_gap.place import PILOT
from plugins.toilet_gap.sqs_server import AWS, Queue, moto_server

from pollctl import to_text
from pollctl_toilet_gap.fake import FakeEventService

KILLS = int(os.environ.get("POLLCTL_KILLS", size(25, 200)))
SEED = int(os.environ.get("POLLCTL_SEED", "1503"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
BEGINS = datetime(2026, 3, 2, 7, tzinfo=UTC)
IN_THE_MIDDLE = 0.8
"""The share of kills that wait until the pass has begun; the others may come before or behind it."""
PATIENCE = "[pollctl.outbox]\nmax_attempts = 200"
"""Alarms are never given up; an unsubscription that is cut off eight times in a row would be."""
MONITORS = 6
STEP = timedelta(minutes=90)
PASSES = 9
"""From A to B, both included."""
ROWS = (
    "SELECT id, monitor, local_date, phase, subscription_id IS NOT NULL, result, planned_at, ends_at, settings, created_at, "
    "updated_at FROM status_check ORDER BY id",
    "SELECT * FROM status_check_poller ORDER BY 1",
    'SELECT * FROM status_check_record ORDER BY 1, "order"',
    "SELECT * FROM status_check_incoming ORDER BY 1, 2",
    "SELECT key, source, reason, robot_id, event_id, body, created_at FROM status_check_dead_letter "
    "WHERE source = 'history' ORDER BY key",
    "SELECT status_check_id, until, state, trouble FROM status_check_subscription ORDER BY 1, 2",
)


class Visit(NamedTuple):
    """A visit that happens before the pass of its number; some are lost on the way to the queue, some come twice."""

    before: int
    robot_id: str
    at: datetime
    is_pushed: bool
    times: int


class World(Place):
    """One database and its upstreams, which live through one day; the clock goes on an hour and a half with each pass."""

    def __init__(self, folder: Path, service: FakeEventService, queue: Queue | None, visits: list[Visit]) -> None:
        super().__init__(folder, **AWS)
        self.service, self.queue, self.visits = service, queue, visits
        self.killed = 0
        self.longest = 0.1
        monitors = [{**PILOT, "name": f"m{number}", "robot_id": f"r-{number}"} for number in range(MONITORS)]
        more: dict[str, object] = {}
        if queue:
            service.push = queue.push
            more = {"queue_url": queue.url, "endpoint_url": queue.endpoint_url, "queue_wait": "0s"}
        self.settings(PATIENCE, service.settings(*monitors, **more))

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder}/pollctl.db?mode=ro", uri=True, timeout=20)) as db:
            return db.execute(sql).fetchall()

    def happen(self, number: int) -> None:
        """Let the visits happen that the pass of this number can see."""
        for visit in self.visits:
            if visit.before == number:
                for time_ in range(visit.times):
                    self.service.visit(visit.robot_id, visit.at, is_in_history=time_ == 0, is_pushed=visit.is_pushed)

    def kill_a_pass(self, number: int, dice: random.Random) -> None:
        """Kill a pass somewhere on its way, if it is still under way then; mostly between its first and last commit."""
        self.service.now = BEGINS + number * STEP
        process = self.popen("run", "toilet_gap", now=to_text(self.service.now), stdout=subprocess.DEVNULL)
        if dice.random() < IN_THE_MIDDLE:
            while process.poll() is None and not self._is_running(process.pid):
                time.sleep(0.003)
            time.sleep(dice.uniform(0, self.longest))
        else:
            time.sleep(dice.uniform(0, 0.5))
        self.killed += was_killed(process)

    def _is_running(self, pid: int) -> bool:
        try:
            return bool(self.rows(f"SELECT 1 FROM runs WHERE outcome = 'running' AND pid = {pid}"))
        except sqlite3.OperationalError:
            return False  # there is no database yet

    def whole_pass(self, number: int) -> None:
        """A pass in this process, where nobody disturbs it."""
        self.service.now = BEGINS + number * STEP
        report = json.loads(self.do("run", "toilet_gap", "--json", now=to_text(self.service.now)))
        assert report["outcome"] == "ok", report
        self.longest = report["duration_ms"] / 1000


def day_of_visits(dice: random.Random) -> list[Visit]:
    """Visits of all robots on one day: some hours of silence, and whatever the queue does to them."""
    visits = []
    for robot in range(MONITORS):
        second = 0.0
        while (second := second + dice.choice([900, 2400, 5400, 7200, 9000, 12000])) < 12 * 3600:
            at = BEGINS + timedelta(seconds=second)
            before = -int(-second // STEP.total_seconds())
            visits.append(Visit(before, f"r-{robot}", at, dice.random() < 0.8, dice.choice([1, 1, 2])))
    return visits


@contextmanager
def worlds(folder: Path, visits: list[Visit], *, has_queue: bool) -> Iterator[tuple[World, World]]:
    with ExitStack() as stack:
        url = stack.enter_context(moto_server()) if has_queue else ""
        first, second = (
            World(folder / name, stack.enter_context(FakeEventService()), Queue(url, name) if url else None, visits)
            for name in ("calm", "killed")
        )
        yield first, second


@pytest.mark.parametrize("source", ["history", "queue"])
def test_whenever_passes_are_killed_rows_and_alarms_are_those_of_an_undisturbed_day(
    tmp_path: Path, source: str
) -> None:
    dice = random.Random(f"{SEED}{source}")
    kills = KILLS // 2 + (source == "queue") * (KILLS % 2)
    print(f"seed {SEED}, {kills} kills, {source}")
    with worlds(tmp_path, day_of_visits(dice), has_queue=source == "queue") as (calm, killed):
        live(calm, killed, kills, dice)
        crashed = killed.rows("SELECT count(*) FROM runs WHERE outcome = 'crashed'")[0][0]
        cut = killed.rows("SELECT count(*) FROM outbox WHERE attempts > 1")[0][0]
        figure(
            f"toilet_gap, {source}: {killed.killed} killed, {crashed} of them within a pass, {cut} deliveries repeated"
        )
        compare(calm, killed)


def live(calm: World, killed: World, kills: int, dice: random.Random) -> None:
    """The same day in both worlds; in the second some passes are killed before one of each step comes through."""
    for number in range(PASSES):
        calm.happen(number)
        killed.happen(number)
        calm.whole_pass(number)
        killed.longest = 1.2 * calm.longest
        goal = kills * (number + 1) // PASSES
        while killed.killed < goal:
            killed.kill_a_pass(number, dice)
            if killed.queue:
                killed.queue.time_out()
        killed.whole_pass(number)


def compare(calm: World, killed: World) -> None:
    """The same rows, and the same alarms in the same order, each once; what is left upstream, too."""
    for sql in ROWS:
        assert killed.rows(sql) == calm.rows(sql), sql
    assert sorted(killed.service.references) == sorted(calm.service.references)
    assert len(set(killed.service.references)) == len(killed.service.references) > MONITORS
    for number in range(1, MONITORS + 1):
        mine = [reference for reference in killed.service.references if reference.startswith(f"{number}-")]
        assert mine == sorted(mine)
    assert calm.service.subscriptions == {}
    known = {made for (made,) in killed.rows("SELECT subscription_id FROM status_check_subscription")}
    assert known.isdisjoint(killed.service.subscriptions), "only subscriptions whose id was lost may be left"
    assert killed.rows("SELECT DISTINCT status FROM outbox") == [("delivered",)]
    assert killed.rows("PRAGMA integrity_check") == [("ok",)]
    if killed.queue:
        killed.whole_pass(PASSES)
        assert killed.queue.size == 0
