"""SIGKILL at random moments of passes that sample jobs kept elsewhere: what arrives there is as if nothing had been killed.

Each minute a job begins there, so that every pass claims, samples, sends and ends a few. In one world each minute begins with
passes that are killed somewhere; in both it ends with two whole ones, at the same moments of a clock that is set by hand. Two
real PostgreSQLs are compared. ``POLLCTL_KILLS`` sets how often it kills.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from campaign import size
from place import Place, was_killed
from postgres import new_project, postgres

from pollctl import to_text
from pollctl_latency.fake import LOST, FakeApi, Reply
from pollctl_latency.fake.postgrest import SECRET_KEY, FakePostgrest
from pollctl_latency.fake.rows import PostgresRows

KILLS = int(os.environ.get("POLLCTL_KILLS", size(20, 200)))
SEED = int(os.environ.get("POLLCTL_SEED", "4402"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LIFETIME_MINUTES = 5
KILLED_EACH_MINUTE = 3
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class World(Place):
    """One database here, one there."""

    def __init__(self, folder: Path, api: FakeApi, postgrest: FakePostgrest) -> None:
        super().__init__(folder)
        self._postgrest = postgrest
        self.settings(
            f'[plugins.latency]\nbase_url = "{api.url}"\nwindow = "0s"\n'
            f'[plugins.latency.supabase]\nurl = "{postgrest.url}"\nkey = "{SECRET_KEY}"\npoller = "pod-1"'
        )
        self.do("db", "migrate")

    def there(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self._postgrest.rows.execute(sql, values, "postgres").rows]

    def begin_job(self, minute: int) -> None:
        """A job whose id tells the minute, so that both worlds have the same."""
        self.there(
            "INSERT INTO jobs (id, target, monitoring_mode, started_at, duration_seconds) VALUES (?, ?, 'real_polling', ?, ?)",
            str(uuid.UUID(int=minute + 1)), target(minute), at(minute), LIFETIME_MINUTES * 60,
        )  # fmt: skip

    @property
    def asked(self) -> int:
        """How many requests have come there."""
        return len(self._postgrest.requests)

    def rows(self) -> tuple[list[Any], list[Any]]:
        """All that must not depend on crashes."""
        jobs = "SELECT id, status, poller, last_ping_at, completed_at, summary FROM jobs ORDER BY id"
        return self.there(jobs), self.there("SELECT * FROM samples ORDER BY job_id, sequence_number")


def at(minute: int) -> str:
    return to_text(START + timedelta(minutes=minute))


def target(minute: int) -> str:
    return f"{'down' if minute % 3 == 0 else 'up'}-{minute}"


def kill_somewhere(world: World, minute: int, dice: random.Random) -> bool:
    """Start a pass and kill it, mostly soon after one of its requests, sometimes at any moment; answers whether it still lived."""
    until = world.asked + dice.randint(1, 8)
    child = world.popen("run", "latency", now=at(minute), stdout=subprocess.DEVNULL)
    if dice.random() < 0.8:
        while child.poll() is None and world.asked < until:
            time.sleep(0.0005)
        time.sleep(dice.uniform(0, 0.05))
    else:
        time.sleep(dice.uniform(0, 1))
    return was_killed(child)


def test_what_arrives_there_is_as_if_nothing_had_been_killed(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    dice = random.Random(SEED)
    with postgres() as one, postgres() as two, FakeApi() as api:
        first, second = PostgresRows(new_project(one)), PostgresRows(new_project(two))
        with FakePostgrest(first) as there, FakePostgrest(second) as quiet:
            disturbed, undisturbed = World(tmp_path / "killed", api, there), World(tmp_path / "left", api, quiet)
            minute = killed = 0
            while killed < KILLS or minute < LIFETIME_MINUTES * 2:
                api.script[target(minute)] = [LOST if minute % 3 == 0 else Reply(elapsed=20)]
                for world in (disturbed, undisturbed):
                    world.begin_job(minute)
                for _ in range(KILLED_EACH_MINUTE if killed < KILLS else 0):
                    killed += kill_somewhere(disturbed, minute, dice)
                for world in (disturbed, undisturbed):
                    for _ in range(2):
                        world.do("run", "latency", now=at(minute))
                minute += 1
            for world in (
                disturbed,
                undisturbed,
                disturbed,
                undisturbed,
            ):  # the latest probe is told by the pass after it
                world.do("run", "latency", now=at(minute))
            jobs, samples = disturbed.rows()
            for found, expected in zip((jobs, samples), undisturbed.rows(), strict=True):
                assert [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]] == []
    crashed = disturbed.sql("SELECT count(*) FROM runs WHERE outcome = 'crashed'")[0][0]
    print(f"killed {killed}, crashed {crashed}, {len(jobs)} jobs, {len(samples)} samples")
    assert crashed >= killed / 4, "too few kills hit the pass itself"
    assert disturbed.sql("SELECT count(*) FROM outbox WHERE status <> 'delivered'") == [(0,)]
    assert len(samples) >= (minute - LIFETIME_MINUTES) * LIFETIME_MINUTES
