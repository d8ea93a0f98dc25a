"""Passes that are killed at random moments while a story goes on."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from campaign import folder_in_memory
from fork_server import Child, forked
from sink import Sink
from worlds.every import every
from worlds.world import Ending, Story, assert_alike, assert_settled, story

MOST_PER_PASS = 3
LONGEST_S = 5.0


class Killing(NamedTuple):
    """How many passes of a plugin are killed, and the seed of the moments."""

    plugin: str
    kills: int
    seed: str


class Tally(NamedTuple):
    """Passes killed, those of them that the next found dead, effects, and what arrived again under the same key."""

    killed: int
    crashed: int
    effects: int
    repeats: int


def kill_at_random(killing: Killing) -> Tally:
    """Tell the story again and again, and kill each pass up to three times before it may end."""
    dice = random.Random(killing.seed)
    tallies: list[Tally] = []
    with folder_in_memory() as place:
        undisturbed, lengths = _measured(killing.plugin, Path(place, "undisturbed"))
        while (killed := sum(tally.killed for tally in tallies)) < killing.kills:
            folder = Path(place, f"story-{len(tallies)}")
            tallies.append(_told(killing.plugin, folder, dice, lengths, killing.kills - killed, undisturbed))
    return Tally(*map(sum, zip(*tallies, strict=True)))


def _measured(plugin: str, folder: Path) -> tuple[Ending, Sequence[float]]:
    """How the story ends, and how long each pass holds the lock, in seconds."""
    lengths = []
    with story(every()[plugin], folder) as told:
        for step in range(len(told.world.moments)):
            child = _started(told, step)
            _await_lock(told, child)
            began = time.monotonic()
            child.wait()
            lengths.append(min(time.monotonic() - began, LONGEST_S))
        return told.rest(len(told.world.moments)), lengths


def _told(
    plugin: str, folder: Path, dice: random.Random, lengths: Sequence[float], most: int, undisturbed: Ending
) -> Tally:
    killed = 0
    with story(every()[plugin], folder) as told:
        for step, length in enumerate(lengths):
            for _ in range(min(dice.randint(1, MOST_PER_PASS), most - killed)):
                killed += _kill_once(told, step, dice, length)
            told.whole_pass(step)
        ending = told.rest(len(lengths))
        what = f"story {folder.name} of {plugin}, in which {killed} passes were killed,"
        assert_settled(ending)
        assert_alike(ending, undisturbed, what)
        with closing(sqlite3.connect(told.database)) as db:
            ((crashed,),) = db.execute("SELECT count(*) FROM runs WHERE outcome = 'crashed'")
        return Tally(killed, crashed, len(ending.rows["outbox"]), sum(ending.keys.values()) - len(ending.keys))


def _kill_once(told: Story, step: int, dice: random.Random, length: float) -> bool:
    """Kill a pass at any moment once it is at work, or shortly after somebody was told; answers whether it still lived."""
    child = _started(told, step)
    before = told.told.keys.total()
    _await_lock(told, child)
    if dice.random() < 0.3:
        _await_arrival(told.told, before, child)
        time.sleep(dice.uniform(0, 0.03))
    else:
        time.sleep(dice.uniform(0, length))
    child.kill()
    return child.wait() == -signal.SIGKILL


def _started(told: Story, step: int) -> Child:
    child = forked(told, step)
    child.go()
    return child


def _await_lock(told: Story, child: Child) -> None:
    while child.poll() is None and not _is_held_by(told.lock, child.pid):
        time.sleep(0.002)


def _is_held_by(lock: Path, pid: int) -> bool:
    """Whether the file names this process; a dead one may still be named."""
    try:
        return lock.read_text().startswith(f"[{pid},")
    except FileNotFoundError:
        return False


def _await_arrival(sink: Sink, before: int, child: Child) -> None:
    while child.poll() is None and sink.keys.total() == before:
        time.sleep(0.002)
