"""Passes on a real file system that is full or cannot be written to, and under a limit on the size of files.

As a script (``unshare -rm python full_disk.py PLUGIN FOLDER``) it mounts a file system of 1 MB on FOLDER, which needs a mount
namespace of its own, and prints how passes end there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from campaign import IS_FULL
from io_errors import is_clear
from plugin_package import command
from worlds.every import every
from worlds.world import Ending, Memory, Story, assert_alike, story

PAGE = 4096
ROOM = (*range(16), 20, 24, 28, 32, 40, 48, 64, 96, 256) if IS_FULL else (0, 3, 8, 256)
"""Free pages of the small disk, from none to all that are left; with a rollback journal a pass needs fewer than in WAL."""
SMALL, NEAR = ((0, 1, 8, 64), (-16, -9, -8, 0, 8, 16, 2048)) if IS_FULL else ((0, 8), (-8, 2048))
"""Limits on the size of files, in blocks of 512 bytes, as they are and beyond the size of the database."""


class Tally(NamedTuple):
    """Passes that failed and said so, and passes that had all they needed."""

    failed: int
    well: int


def limited(plugin: str) -> Tally:
    """Passes under a limit on the size of files."""
    with TemporaryDirectory() as place, _told(plugin, Path(place)) as trial:
        blocks = trial.told.database.stat().st_size // 512
        limits = [*SMALL, *(blocks + more for more in NEAR)]
        return trial.tally([partial(trial.run, f"ulimit -f {limit}") for limit in limits])


def cramped(plugin: str, disk: Path) -> Tally:
    """Passes on a disk that is nearly full, and on one that can only be read."""
    with _told(plugin, disk) as trial:
        return trial.tally([*(partial(trial.run_with_room, pages) for pages in ROOM), trial.run_read_only])


class Trial(NamedTuple):
    """A story, as it was before the pass that is tried, and as it ends when nothing disturbs it."""

    told: Story
    memory: Memory
    undisturbed: Ending
    disk: Path

    def tally(self, passes: list[Callable[[], tuple[int, str]]]) -> Tally:
        """Try passes: each says what is wrong or is well, and the next ends like the undisturbed one."""
        failed = 0
        for number, one in enumerate(passes):
            self.told.recall(self.memory)
            code, stderr = one()
            where = f"pass {number} of {self.told.world.name}"
            assert code in (0, 3) or (code == 1 and is_clear(stderr)), f"{where} exits {code}: {stderr}"
            failed += code == 1
            assert_alike(self.told.once_more(self.told.world.busiest), self.undisturbed, where)
        return Tally(failed, len(passes) - failed)

    def run(self, before: str = ":") -> tuple[int, str]:
        """A pass, after words of the shell; answers its exit code and what stood on stderr."""
        words = ["/bin/sh", "-c", f'{before} && exec "$@"', "sh", *command(*self.told.words)]
        environment = self.told.environment(self.told.world.busiest)
        done = subprocess.run(words, cwd=self.told.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def run_with_room(self, pages: int) -> tuple[int, str]:
        """A pass while so many pages of the disk are free."""
        filler = self.disk / "filler"
        room = os.statvfs(self.disk)
        filler.write_bytes(b"x" * max(0, room.f_bavail * room.f_frsize - pages * PAGE))
        try:
            return self.run()
        finally:
            filler.unlink()

    def run_read_only(self) -> tuple[int, str]:
        """A pass while the disk can only be read."""
        _mount("-o", "remount,ro", self.disk)
        try:
            return self.run()
        finally:
            _mount("-o", "remount,rw", self.disk)


@contextmanager
def _told(plugin: str, disk: Path) -> Iterator[Trial]:
    with TemporaryDirectory() as place, story(every()[plugin], disk / "told") as told:
        told.passes(0, told.world.busiest)
        memory = told.remember(Path(place, "memory"))
        undisturbed = told.once_more(told.world.busiest)
        yield Trial(told, memory, undisturbed, disk)


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


if __name__ == "__main__":
    _mount("-t", "tmpfs", "-o", "size=1m", "none", sys.argv[2])
    print(json.dumps(cramped(sys.argv[1], Path(sys.argv[2]))))
