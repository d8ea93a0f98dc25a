"""Passes that are killed before one of their system calls, and what the next pass makes of it."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from campaign import folder_in_memory
from fork_server import forked
from tracee import Watched, watch
from worlds.every import every
from worlds.world import Ending, Memory, Story, assert_alike, story

from pollctl.store import database

Scene = Literal["pass", "recovery", "creation", "migration"]
_SENDTO = 44


class Sentence(NamedTuple):
    """Which passes are killed.

    Attributes:
        plugin: whose.
        scene: an ordinary ``pass``; ``recovery`` from one that was killed while effects were on their way; ``creation`` of the
            database; ``migration`` of one that has no tables of the plugin yet.
        telling: places in a pass, 0 to 1, of telling calls to kill before; None: before each call, telling or not.
        silent: the same, among all calls.
        share: where it is each call, the how manieth of how many workers does this.
    """

    plugin: str
    scene: Scene
    telling: Sequence[float] | None = None
    silent: Sequence[float] = ()
    share: tuple[int, int] = (0, 1)


class Tally(NamedTuple):
    """System calls of the whole pass, those of them that others can notice, and how many passes were killed before one."""

    calls: int
    telling: int
    killed: int


def execute(sentence: Sentence) -> Tally:
    """Kill a pass at each point and run it again: the end is that of the undisturbed one.

    Threads run as they like, so that one pass makes a few calls more or less than another: a point near the end may not come.
    """
    with staged(sentence) as (told, memory):
        undisturbed = told.once_more(told.world.busiest)
        told.recall(memory)
        whole = _watched(told)
        calls, telling = len(whole.calls), len(whole.telling)
        first, workers = sentence.share
        among_all: Sequence[int] = range(1 + first, calls + 1, workers)
        if sentence.telling is not None:
            among_all = _points(sentence.silent, calls)
        among_telling = _points(sentence.telling or (), telling)
        killed = sum(_kill(told, memory, undisturbed, point, among_all=False) for point in among_telling)
        killed += sum(_kill(told, memory, undisturbed, point, among_all=True) for point in among_all)
        return Tally(calls, telling, killed)


def _points(places: Sequence[float], calls: int) -> Sequence[int]:
    return [1 + int(place * calls) for place in places]


def _kill(told: Story, memory: Memory, undisturbed: Ending, point: int, *, among_all: bool) -> bool:
    """Kill a pass before one call and see what the next makes of it; answers whether it came to that call."""
    told.recall(memory)
    watched = _watched(told, point, among_all=among_all)
    which = "call" if among_all else "telling call"
    where = f"a pass of {told.world.name}, killed before its {point}th {which} (number {watched.calls[-1].number}),"
    assert watched.code in (-signal.SIGKILL, 0, 3), f"{where} ended {watched.code}: {watched.stderr}"
    try:
        disturbed = told.once_more(told.world.busiest)
    except AssertionError as error:
        raise AssertionError(f"{where} was followed by trouble: {error}") from error
    assert_alike(disturbed, undisturbed, where)
    return watched.code == -signal.SIGKILL


@contextmanager
def staged(sentence: Sentence) -> Iterator[tuple[Story, Memory]]:
    """A story told up to its busiest pass, and made ready for the scene."""
    with folder_in_memory() as place, story(every()[sentence.plugin], Path(place, "told")) as told:
        if sentence.scene in ("creation", "migration"):
            told.database.unlink()
        else:
            told.passes(0, told.world.busiest)
        if sentence.scene == "migration":
            database.open_to_write(told.database).close()
        if sentence.scene == "recovery":
            _cut_off(told, Path(place, "before"))
        memory = told.remember(Path(place, "memory"))
        yield told, memory


def _cut_off(told: Story, place: Path) -> None:
    """Kill the busiest pass while its effects are on their way."""
    before = told.remember(place)
    calls = _watched(told).telling
    for point in range(len(calls), 0, -1):
        if calls[point - 1].number != _SENDTO:
            continue
        told.recall(before)
        _watched(told, point)
        with closing(sqlite3.connect(told.database)) as db:
            if db.execute("SELECT 1 FROM outbox WHERE status = 'sending'").fetchone():
                return
    raise AssertionError(f"{told.world.name} never has an effect on its way")


def _watched(told: Story, point: int = 0, *, among_all: bool = False) -> Watched:
    return watch(partial(forked, told, told.world.busiest), told.lock, kill_before=point, among_all=among_all)
