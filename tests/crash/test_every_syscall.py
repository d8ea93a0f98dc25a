"""A pass is killed before each of its system calls, and run again: the end is the undisturbed one.

Four scenes: an ordinary pass, a pass that recovers from one that was killed while its effects were on their way, the creation of
the database, and its migration. ``POLLCTL_CAMPAIGN=full`` kills before every call after the lock; otherwise some are drawn, nearly
all of them among those that others can notice (see ``tracee``). ``POLLCTL_SEED`` repeats a draw.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
import tracee
from campaign import IS_FULL, SEED, WORKERS, figure, side_by_side
from kills import Scene, Sentence, Tally, execute
from worlds.every import every

TELLING = {"pass": 5, "recovery": 3, "creation": 4, "migration": 3}
"""How many kills are drawn, for each plugin, where not all are done."""
OF_EACH = ("pass", "recovery")
"""Scenes of every plugin; of the others one plugin is drawn, where not all are done."""
SILENT = {"pass": 1, "recovery": 0, "creation": 0, "migration": 0}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not tracee.is_possible, reason=tracee.why_not),
    pytest.mark.timeout(1800),
]


def some(number: int, what: str) -> list[float]:
    dice = random.Random(f"{SEED} {what}")
    return [dice.random() for _ in range(number)]


@pytest.mark.skipif(IS_FULL, reason="the full campaign kills before every call")
def test_a_pass_killed_before_some_system_call_ends_like_an_undisturbed_one() -> None:
    drawn = random.Random(SEED).choice(list(every()))
    sentences = [
        Sentence(plugin, scene, some(TELLING[scene], plugin + scene), some(SILENT[scene], "silent" + plugin))
        for plugin in every()
        for scene in get_args(Scene)
        if plugin == drawn or scene in OF_EACH
    ]
    tallies = side_by_side(execute, sentences)
    wanted = sum(len(sentence.telling or ()) + len(sentence.silent) for sentence in sentences)
    assert sum(tally.killed for tally in tallies) > 0.8 * wanted
    report(sentences, tallies)


@pytest.mark.skipif(not IS_FULL, reason="takes many minutes: POLLCTL_CAMPAIGN=full")
@pytest.mark.parametrize("scene", get_args(Scene))
@pytest.mark.parametrize("plugin", every())
def test_a_pass_killed_before_each_system_call_ends_like_an_undisturbed_one(plugin: str, scene: Scene) -> None:
    sentences = [Sentence(plugin, scene, share=(worker, WORKERS)) for worker in range(WORKERS)]
    tallies = side_by_side(execute, sentences)
    assert sum(tally.killed for tally in tallies) > 0.75 * min(tally.calls for tally in tallies)
    report(sentences, tallies)


def report(sentences: Sequence[Sentence], tallies: Sequence[Tally]) -> None:
    for plugin, scene in dict.fromkeys((sentence.plugin, sentence.scene) for sentence in sentences):
        own = [tally for sentence, tally in zip(sentences, tallies, strict=True) if sentence[:2] == (plugin, scene)]
        figure(
            f"every-syscall kill, {plugin} ({scene}): {own[0].calls} calls after the lock, {own[0].telling} of them "
            f"telling; killed before {sum(tally.killed for tally in own)}"
        )


class Script:
    """A process that waits in a shell for its turn."""

    def __init__(self, source: str, folder: Path, stderr: int) -> None:
        words = ["/bin/sh", "-c", 'read go && exec "$@" </dev/null', "sh", sys.executable, "-c", source]
        self._process = subprocess.Popen(words, cwd=folder, env={}, stdin=subprocess.PIPE, stderr=stderr)
        self.pid = self._process.pid

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write(b"go\n")
        self._process.stdin.close()

    def wait(self) -> int:
        return self._process.wait()


def test_a_process_killed_before_its_write_has_not_written(tmp_path: Path) -> None:
    source = "import fcntl; fcntl.flock(open('lock', 'w'), 2); open('a', 'w').write('A'); open('b', 'w').write('B')"
    begin = partial(Script, source, tmp_path)
    whole = tracee.watch(begin, tmp_path / "lock")
    writes = [place for place, call in enumerate(whole.telling, start=1) if call.number == 1]
    assert (whole.code, len(writes)) == (0, 2), whole.stderr
    for path in ("a", "b"):
        (tmp_path / path).unlink()
    killed = tracee.watch(begin, tmp_path / "lock", kill_before=writes[1])
    assert killed.code == -signal.SIGKILL
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("A", "")
