"""Passes on a disk on which one write or sync of the database fails, or all from then on, and what the next pass makes of it."""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

from faulty_disk import FaultyDisk
from fork_server import forked
from kills import Scene, Sentence, staged
from tracee import Watched, watch
from worlds.world import Ending, Memory, Story, assert_alike

WAYS = tuple(product((errno.EIO, errno.ENOSPC), (False, True)))
"""Which error, and whether it lasts."""
_CLEAR = re.compile(r"pollctl: (\w+: failed: )?(the database|/\S*/pollctl\.db\S*): \w.*")


class Trial(NamedTuple):
    """Which calls fail: in a pass of a plugin, at places from 0 to 1, each in one of the four ways; None: each in all ways.

    ``share``: of those that all fail, the how manieth of how many workers does this.
    """

    plugin: str
    scene: Scene
    places: Sequence[tuple[float, int]] | None = None
    share: tuple[int, int] = (0, 1)


class Tally(NamedTuple):
    """What happened.

    Attributes:
        calls: that change the database's files, by name.
        failed: passes in which one failed, by its name and its file.
        codes: exit codes of these.
        unharmed: those of them that failed where it does no harm, so that the pass went on.
    """

    calls: Counter[str]
    failed: Counter[str]
    codes: Counter[int]
    unharmed: Counter[str]


def endure(trial: Trial) -> Tally:
    """Let calls fail: each pass says so in a line and exits 1, and the next ends like the undisturbed one."""
    with staged(Sentence(trial.plugin, trial.scene)) as (told, memory):
        undisturbed = told.once_more(told.world.busiest)
        told.recall(memory)
        whole = FaultyDisk(told.database)
        _watched(told, whole)
        tally = Tally(whole.count, Counter(), Counter(), Counter())
        for at, (error, is_lasting) in _points(trial, whole.count.total()):
            disk = FaultyDisk(told.database, error, at, is_lasting=is_lasting)
            code = _fail(told, memory, undisturbed, disk)
            if disk.failed:
                tally.failed[disk.failed] += 1
                tally.codes[code] += 1
                tally.unharmed[disk.failed] += code != 1
        return tally


def is_clear(stderr: str) -> bool:
    """Whether the last line names the file, or the database, and no traceback is among the others."""
    lines = stderr.splitlines()
    return bool(lines and _CLEAR.fullmatch(lines[-1])) and "Traceback" not in stderr


def _points(trial: Trial, calls: int) -> list[tuple[int, tuple[int, bool]]]:
    if trial.places is not None:
        return [(1 + int(place * calls), WAYS[way]) for place, way in trial.places]
    first, workers = trial.share
    return list(product(range(1 + first, calls + 1, workers), WAYS))


def _fail(told: Story, memory: Memory, undisturbed: Ending, disk: FaultyDisk) -> int:
    told.recall(memory)
    watched = _watched(told, disk)
    where = f"a pass of {told.world.name} in which {disk} failed"
    assert "Traceback" not in watched.stderr, f"{where} tells a bug: {watched.stderr}"
    if watched.code == 1:
        assert is_clear(watched.stderr), f"{where} does not say clearly what is wrong: {watched.stderr}"
    else:
        assert watched.code in (0, 3), f"{where} exits {watched.code}: {watched.stderr}"
    try:
        disturbed = told.once_more(told.world.busiest)
    except AssertionError as error:
        raise AssertionError(f"{where} was followed by trouble: {error}") from error
    assert_alike(disturbed, undisturbed, where)
    return watched.code


def _watched(told: Story, disk: FaultyDisk) -> Watched:
    return watch(partial(forked, told, told.world.busiest), told.lock, meddle=disk)
