"""Power cuts at every moment of a pass: no acknowledged commit is lost, nothing is sent before its row is durable.

A pass is recorded by strace, every prefix of its writes is replayed on the model of a disk, with those that were not synced
dropped, kept, torn and reordered, and what is left is opened by SQLite; some states are run on to the end.
``POLLCTL_CAMPAIGN=full`` for at least 10,000 states; ``POLLCTL_SEED`` repeats one run.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from campaign import IS_FULL, SEED, figure, folder_in_memory, size
from disk import State, Write
from disk_trace import needs_strace, record
from plugin_package import command, spawn_pollctl
from power_cut import DATABASE, Cut, Recorded, on_disk, put
from sender import install_sender, sender_settings, with_sqlite
from sink import Sink
from worlds.every import every
from worlds.world import assert_settled, story

CHOOSES = {"journal": "3.40.1", "wal": "3.51.3"}
"""A version of SQLite with which pollctl chooses this kind of journal."""
RANDOM_ONES = size(2, 60)  # states a moment
PLUGINS_RANDOM_ONES = size(1, 15)
PLUGINS_SHARE = 1.0 if IS_FULL else 0.15  # of the cuts that are looked at
RUN_ON = size(4, 150)  # states a pass that are run on to the end
FAILING_SYNCS = range(1, 25) if IS_FULL else (2, 4, 5, 6)  # of the journal; 4 to 6 are those of the first batch
MOMENTS = ("2026-03-02T09:00:00Z", "2026-03-02T09:01:00Z", "2026-03-02T09:02:00Z")
WORDS = (["apple", "avocado", "berry", "cherry"], ["apple", "apricot", "berry", "blackberry", "banana"])

pytestmark = [pytest.mark.slow, needs_strace]


def recorded_pass(folder: Path, env: dict[str, str], number: int, url: str, states: Path) -> Recorded:
    """Record pass *number* of the sender: the first creates the database."""
    sender_settings(folder, url, WORDS[number])
    before = on_disk(folder)
    env = {**env, "POLLCTL_NOW": MOMENTS[number]}
    return Recorded(before, record(folder, env, command("run", "sender"), DATABASE), states)


@pytest.fixture
def states() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of states are written there to be opened."""
    with folder_in_memory() as folder:
        yield Path(folder)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("number", "journal"),
    [(0, "journal"), (1, "journal"), (0, "wal"), (1, "wal")],
    ids=[
        "the pass that creates the database",
        "a later pass",
        "the pass that creates it, in WAL",
        "a later pass, in WAL",
    ],
)
def test_no_power_cut_loses_an_acknowledged_commit_or_an_effect(
    tmp_path: Path, states: Path, number: int, journal: str
) -> None:
    dice = random.Random(SEED)
    folder = tmp_path / "pass"
    folder.mkdir()
    env = with_sqlite(install_sender(folder), CHOOSES[journal])
    with Sink() as told:
        for earlier in range(number):
            recorded_pass(folder, env, earlier, told.url, states)
        recorded = recorded_pass(folder, env, number, told.url, states)
        written = {event.deed.name for event in recorded.events if isinstance(event.deed, Write)}
        assert f"{DATABASE}-{journal}" in written
        chosen: list[Cut] = []
        cuts = 0
        for cuts, cut in enumerate(recorded.cuts(dice, RANDOM_ONES), 1):
            recorded.check(cut)
            if len(chosen) < RUN_ON:
                chosen.append(cut)
            elif (place := dice.randrange(cuts)) < RUN_ON:
                chosen[place] = cut
        assert len(recorded.contents) > 5, "hardly a commit was seen"
        assert recorded.sent() == set(WORDS[number]) - (set(WORDS[0]) if number else set())
        told_before = set(WORDS[0]) if number else set()
        for cut in chosen:
            run_on(folder, env, cut.state, told, told_before | recorded.sent(cut.moment))
    figure(
        f"power cut, pass {number + 1}, {journal}: {recorded.states} different states ({cuts} cuts), {len(recorded.contents) - 1} "
        f"commits, {len(recorded.events)} events, {RUN_ON} run on: nothing lost, nothing sent too early"
    )


def run_on(folder: Path, env: dict[str, str], state: State, told: Sink, sent: set[str]) -> None:
    """Let the next pass find what the power cut left: it must come to the same end as if nothing had been."""
    put(state, folder)
    told.keys.clear()
    done = spawn_pollctl(folder, {**env, "POLLCTL_NOW": MOMENTS[2]}, "run", "sender")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        words = dict(db.execute("SELECT word, told FROM sender_words").fetchall())
        effects = dict(db.execute("SELECT key, status FROM outbox").fetchall())
        assert db.execute("SELECT count(*) FROM runs WHERE outcome='running'").fetchall() == [(0,)]
    assert set(words) == set(effects)
    assert set(words.values()) == {1}, "a result was settled twice, or never"
    assert set(effects.values()) == {"delivered"}
    assert set(words) == sent | set(told.keys), "a word was lost"
    assert set(told.keys.values()) <= {1}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("plugin", every())
def test_no_power_cut_loses_what_a_plugin_decided(tmp_path: Path, states: Path, plugin: str) -> None:
    """The same with the plugins' own passes, in which effects are queued, delivered and refused."""
    dice = random.Random(SEED)
    make = every()[plugin]
    cuts = commits = different = 0
    with story(make, tmp_path / "story") as told:
        folder, world = told.folder, told.world
        for step in range(len(world.moments) if IS_FULL else world.busiest + 1):
            if not IS_FULL and step != world.busiest:
                told.whole_pass(step)
                continue
            before, env = on_disk(folder), told.environment(step)
            recorded = Recorded(before, record(folder, env, command(*told.words), DATABASE, codes=(0, 3)), states)
            for cut in recorded.cuts(dice, PLUGINS_RANDOM_ONES):
                if dice.random() < PLUGINS_SHARE:
                    recorded.check(cut)
                    cuts += 1
            commits, different = commits + len(recorded.contents) - 1, different + recorded.states
        if IS_FULL:
            assert_settled(told.rest(len(world.moments)))
    figure(
        f"power cut, {plugin}: {different} different states (every prefix, and {cuts} cuts), {commits} commits: "
        "nothing lost, nothing sent too early"
    )


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("journal", CHOOSES)
def test_a_pass_that_says_ok_has_written_everything_whichever_sync_fails(tmp_path: Path, journal: str) -> None:
    """A commit that failed may have been rolled back: who tries it again, or takes it for done, loses what was decided."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    with Sink() as told:
        env = {**with_sqlite(install_sender(fresh), CHOOSES[journal]), "POLLCTL_NOW": MOMENTS[0]}
        sender_settings(fresh, told.url, [])
        assert spawn_pollctl(fresh, env, "run", "sender").returncode == 0
        sender_settings(fresh, told.url, WORDS[0])
        for number in FAILING_SYNCS:
            told.keys.clear()
            folder = shutil.copytree(fresh, tmp_path / str(number))
            done = run_with_a_failing_sync(folder, env, number, journal)
            with closing(sqlite3.connect(folder / DATABASE)) as db:
                words = {word for (word,) in db.execute("SELECT word FROM sender_words")}
            assert done.returncode != 0 or words == set(WORDS[0]), (
                f"the pass said ok, but what it decided is not there: sync {number} failed, {words} of {WORDS[0]} are there"
            )
            assert "Traceback" not in done.stderr
            run_on(folder, env, on_disk(folder), told, set(told.keys))
    figure(f"failing syncs of the {journal}: {len(FAILING_SYNCS)}; each pass told the truth and the next made it good")


def run_with_a_failing_sync(
    folder: Path, env: dict[str, str], number: int, journal: str
) -> subprocess.CompletedProcess[str]:
    """A pass in which one sync of the journal answers that the disk cannot be written."""
    strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        str(folder / f"{DATABASE}-{journal}"),
        "-e",
        f"inject=fdatasync:error=EIO:when={number}",
        "--",
    ]
    return subprocess.run(
        [*strace, *command("run", "sender")], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
