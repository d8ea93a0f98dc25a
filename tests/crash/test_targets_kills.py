"""A pass over targets is killed before one of its system calls, and run again: the end is the undisturbed one (authors §1).

Everything that matters happens in the busiest pass: news with ids and without, a digest that is due, a target that fails for the
second time and one that answers again, a refused delivery. ``POLLCTL_CAMPAIGN=full`` kills before every call that others can
notice; otherwise some are drawn.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tracee
from campaign import IS_FULL, SEED
from core.targets.watching import FEEDS, Pages
from plugin_package import clean_environment, command, make_plugin_package, write_settings
from worlds.world import PATIENCE, Rows, Story, assert_alike, assert_settled, create_database, story, undisturbed

from pollctl import address_digest
from pollctl.fakes import ServerResponse
from pollctl.targets.migrations import migrations_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
needs_ptrace = pytest.mark.skipif(not tracee.is_possible, reason=tracee.why_not)

START, STEP = datetime(2026, 3, 2, 9, tzinfo=UTC), timedelta(minutes=10)
DEAD = ServerResponse(500)
SCRIPT: Sequence[Mapping[str, str | ServerResponse]] = (
    {"ids": "old", "back": "!A", "down": "x", "slow": "x", "healed": "x"},
    {"ids": "old one", "back": "!B", "down": "x", "slow": "x two", "healed": DEAD},
    {"ids": "one", "back": "!A", "down": DEAD, "slow": "x two", "healed": DEAD},
    {"ids": "old one three", "back": "!B", "down": DEAD, "slow": "x", "healed": "x"},
    {"ids": "old one three", "back": "!A", "down": "x", "slow": "x two", "healed": "x"},
)
QUESTIONS = {
    "targets": "SELECT name, definition, looked_at, reached_at, changed_at, failures, failing_since, is_alerted FROM feeds_targets "
    "ORDER BY name",
    "memory": "SELECT target, value, validators, answer FROM feeds_memory ORDER BY target",
    "told": "SELECT target, id FROM feeds_told ORDER BY target, id",
    "waiting": "SELECT target, news, due_at FROM feeds_waiting ORDER BY target, news",
    "history": "SELECT target, at, text FROM feeds_history ORDER BY target, id",
}


class TargetsWorld:
    """Five feeds, polled every ten minutes."""

    name = "feeds"
    moments: Sequence[datetime] = tuple(START + step * STEP for step in range(len(SCRIPT)))
    busiest = 3
    aliases: Mapping[str, str]

    def __init__(self) -> None:
        self._pages = Pages()
        self._pages.__enter__()

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        env = clean_environment(folder.parent)
        if not (folder.parent / "site-feeds").exists():
            env = make_plugin_package(folder.parent, "feeds", FEEDS, attribute="plugin")
        rows = [f'[[plugins.feeds.feeds]]\nname = "{name}"\nurl = "{self._pages.url}/{name}"' for name in SCRIPT[0]]
        rows = [f'{row}\ndigest = "18m"' if 'name = "slow"' in row else f"{row}\nalert_after = 2" for row in rows]
        both = f'notify = ["{sink_url}/crew", "{sink_url}/flaky"]'
        rows = [f"{row}\n{both}" if 'name = "ids"' in row else row for row in rows]
        people = f'[plugins.feeds]\nnotify = ["{sink_url}/crew"]'
        write_settings(folder, PATIENCE, people, *rows)
        create_database(folder, migrations_of("feeds"))
        self.aliases = {address_digest(f"{sink_url}/{path}"): path for path in ("crew", "flaky")}
        self.aliases = {**self.aliases, self._pages.url: "http://pages", self._pages.url[7:]: "pages"}
        return env

    def turn(self, step: int) -> None:
        self._pages.pages = {f"/{name}": page for name, page in SCRIPT[step].items()}

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            return {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}

    def keep(self) -> None:
        """Nothing: each pass is answered as its number says."""

    def put_back(self, kept: object) -> None:
        pass

    def close(self) -> None:
        self._pages.__exit__()


class Spawned:
    """A pass in a process of its own, which waits for `go`."""

    def __init__(self, told: Story, stderr: int) -> None:
        words = command(*told.words)
        self._process = subprocess.Popen(
            ["sh", "-c", 'read _; exec "$@"', "sh", *words],
            cwd=told.folder,
            env=told.environment(told.world.busiest),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        self.pid = self._process.pid

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.close()

    def wait(self) -> int:
        """Know that it has ended: whoever watches it has waited for it."""
        return self._process.wait()


def test_the_story_tells_everything_once(tmp_path: Path) -> None:
    ending = undisturbed(TargetsWorld, tmp_path / "told")
    titles = sorted(str(row[4]).partition('"title":"')[2].partition('"')[0] for row in ending.rows["outbox"])
    failing = [
        f"{name}: {what}" for name in ("down", "healed") for what in ("failed 2 times in a row", "answers again")
    ]
    assert titles == sorted(["!A", "!A", "!B", "!B", *failing, "one", "one", "three", "three", "two"])


@needs_ptrace
def test_a_pass_that_is_killed_anywhere_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with story(TargetsWorld, tmp_path / "told") as told:
        told.passes(0, told.world.busiest)
        memory = told.remember(tmp_path / "memory")
        undisturbed_end = told.once_more(told.world.busiest)
        told.recall(memory)
        calls = len(watched(told).telling)
        points = range(1, calls + 1)
        killed = 0
        for point in points if IS_FULL else random.Random(SEED).sample(points, 8):
            told.recall(memory)
            code = watched(told, point).code
            killed += code == -signal.SIGKILL
            assert_alike(
                told.once_more(told.world.busiest), undisturbed_end, f"a kill before the {point}th telling call"
            )
        assert killed >= 6
        assert_settled(told.rest(told.world.busiest + 1))


def watched(told: Story, point: int = 0) -> tracee.Watched:
    return tracee.watch(lambda stderr: Spawned(told, stderr), told.lock, kill_before=point)
