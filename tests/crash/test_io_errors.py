"""Writes and syncs that fail: a clear line, exit 1, no traceback, the state as before or as after, and the next pass goes on.

Each call that changes the database, its journal, its lock or their folder fails with EIO and with ENOSPC, once and from then on
(``POLLCTL_CAMPAIGN=full``; otherwise some are drawn, and ``POLLCTL_SEED`` repeats a draw). The real interpreter makes the calls,
and ptrace spoils them; full disks and limits are real ones.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import full_disk
import pytest
import tracee
from campaign import IS_FULL, SEED, WORKERS, figure, side_by_side
from io_errors import WAYS, Tally, Trial, endure
from kills import Scene
from worlds.every import every

from pollctl import Effect
from pollctl.concurrency.cancellation import Stop
from pollctl.delivery.effects import queued
from pollctl.delivery.outbox import Outbox
from pollctl.delivery.policy import Policy, Retry
from pollctl.errors import DatabaseError
from pollctl.store import database, journal, runs
from pollctl.store.lock import held

DRAWN = {"pass": 3, "creation": 3}
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HARMLESS = r"\w+ \S+\.lock|f(data)?sync told"
"""What may fail and a pass goes on: wiping the holder's name from the lock, and SQLite's sync of the folder of its journal."""
HARMLESS_IN_WAL = r"(fdatasync|unlink) \S+-wal|unlink \S+-shm|(pwrite64|ftruncate|fdatasync) \S+\.db|openat \S+-wal"
"""There it is also a checkpoint, after which the log still has everything, and opening the log to write where it is only read."""
needs_ptrace = pytest.mark.skipif(not tracee.is_possible, reason=tracee.why_not)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@needs_ptrace
@pytest.mark.skipif(IS_FULL, reason="the full campaign lets every call fail")
def test_a_pass_whose_disk_fails_somewhere_says_so_and_the_next_goes_on() -> None:
    dice = random.Random(SEED)
    scenes: list[tuple[str, Scene]] = [(plugin, "pass") for plugin in every()]
    scenes.append((dice.choice(list(every())), "creation"))
    trials = [
        Trial(plugin, scene, [(dice.random(), dice.randrange(len(WAYS))) for _ in range(DRAWN[scene])])
        for plugin, scene in scenes
    ]
    tallies = side_by_side(endure, trials)
    for trial, tally in zip(trials, tallies, strict=True):
        report(trial, [tally])
    assert any(tally.codes[1] for tally in tallies), "no pass failed"


@needs_ptrace
@pytest.mark.skipif(not IS_FULL, reason="takes many minutes: POLLCTL_CAMPAIGN=full")
@pytest.mark.parametrize("scene", DRAWN)
@pytest.mark.parametrize("plugin", every())
def test_a_pass_whose_disk_fails_anywhere_says_so_and_the_next_goes_on(plugin: str, scene: Scene) -> None:
    trials = [Trial(plugin, scene, share=(worker, WORKERS)) for worker in range(WORKERS)]
    tallies = side_by_side(endure, trials)
    report(trials[0], tallies)
    assert all(tally.codes[1] for tally in tallies), "no pass failed"


def report(trial: Trial, tallies: list[Tally]) -> None:
    calls = tallies[0].calls
    failed = sum((tally.failed for tally in tallies), Counter[str]())
    codes = sum((tally.codes for tally in tallies), Counter[int]())
    unharmed = sum((tally.unharmed for tally in tallies), Counter[str]())
    harmless = f"{HARMLESS}|{HARMLESS_IN_WAL}" if journal.mode() == "WAL" else HARMLESS
    untold = [call for call in unharmed if not re.fullmatch(harmless, call)]
    assert not untold, f"errors that nobody was told of: {untold}"
    kinds = ", ".join(f"{number} {name}" for name, number in sorted(calls.items()))
    figure(
        f"I/O errors, {trial.plugin} ({trial.scene}): {calls.total()} calls that write or sync ({kinds}); {failed.total()} "
        f"passes with an error, {codes[1]} exit 1, {codes[3]} exit 3, {codes[0]} exit 0, all converged"
    )


@pytest.mark.parametrize("plugin", every() if IS_FULL else list(every())[:1])
def test_a_disk_of_one_megabyte_that_is_full_is_named_and_the_next_pass_goes_on(plugin: str, tmp_path: Path) -> None:
    if (
        shutil.which("unshare") is None
        or run("unshare", "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)).returncode
    ):
        pytest.skip("no file system can be mounted here (unshare -rm)")
    done = run("unshare", "-rm", sys.executable, full_disk.__file__, plugin, str(tmp_path))
    assert done.returncode == 0, done.stderr
    tally = full_disk.Tally(*json.loads(done.stdout))
    assert min(tally) > 0, f"the disk was always full, or never: {tally}"
    figure(
        f"1 MB tmpfs, {plugin}: {tally.failed} passes on a full or read-only disk exit 1, {tally.well} had room, all converged"
    )


@pytest.mark.parametrize("plugin", every() if IS_FULL else list(every())[:1])
def test_a_limit_on_the_size_of_files_is_named_and_the_next_pass_goes_on(plugin: str) -> None:
    (tally,) = side_by_side(full_disk.limited, [plugin])
    assert min(tally) > 0, f"the limit was always hit, or never: {tally}"
    figure(f"file-size limit, {plugin}: {tally.failed} passes that hit it exit 1, {tally.well} did not, all converged")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


def test_a_disk_that_fills_up_while_a_result_is_written_is_no_failed_delivery(tmp_path: Path) -> None:
    with closing(database.open_to_write(tmp_path / "pollctl.db")) as db:
        outbox = Outbox(db, "bell", Policy(Retry(8, timedelta(minutes=1), timedelta(hours=1))))
        with database.writing(db):
            runs.start(db, "run-1", "bell", "manual", NOW, {})
            outbox.queue("run-1", [queued("ring", "key", {})], NOW)

        def fill_up(effect: Effect, result: object) -> None:
            db.execute("PRAGMA max_page_count=1")  # as large as it is now
            db.execute("CREATE TABLE large AS SELECT zeroblob(1000000)")

        with closing(outbox), pytest.raises(DatabaseError, match="make room"):
            outbox.deliver(lambda _: None, fill_up, Stop())
        assert db.execute("SELECT status, last_error FROM outbox").fetchall() == [("sending", None)]


def test_a_lock_that_cannot_be_signed_is_named() -> None:
    with pytest.raises(DatabaseError, match=r"^/dev/full: "), held(Path("/dev/full"), run_id="run-1"):
        pytest.fail("nothing may start")
