"""The stamp beside the database, under kills, power cuts and whatever people do: it never says what the database does not hold.

What it must not do is say that nothing is due when the row in the database is gone or another. ``POLLCTL_CAMPAIGN=full`` for more
of each; ``POLLCTL_SEED`` repeats one run.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
import tracee
from campaign import IS_FULL, SEED, figure, folder_in_memory, size
from core.due.idle import Idle
from crash.test_every_syscall import Script
from disk import Disk, State, Sync, cuts
from disk_trace import needs_strace, record
from plugin_package import command
from power_cut import DATABASE, on_disk, put
from sender import with_sqlite

from pollctl.due import fast_path

HISTORIES = size(20, 500)
STEPS = 25
RANDOM_ONES = size(3, 60)
KILLS = size(12, 100_000)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Idle:
    monkeypatch.chdir(tmp_path)
    place = Idle(tmp_path)
    place.stamp_it()
    return place


def assert_true(place: Idle, when: str) -> None:
    said = place.stamped()
    assert said in (None, place.row()), f"{when}: the stamp says {said and said[:2]}"


# kills

REMEMBER = """
import fcntl
lock = open("lock", "w")
from pollctl import clock
from pollctl.config import places, settings
from pollctl.due import selection
found = settings.load(places.find(None))
evaluation = selection.evaluate(found, clock.now())
fcntl.flock(lock, fcntl.LOCK_EX)
selection.remember(found, evaluation)
"""


@pytest.mark.skipif(not tracee.is_possible, reason=tracee.why_not)
def test_killed_before_any_system_call_it_leaves_none_or_a_true_one(place: Idle) -> None:
    begin = partial(Script, REMEMBER, place.folder)
    whole = tracee.watch(begin, place.folder / "lock")
    assert whole.code == 0, whole.stderr
    points = range(1, len(whole.telling) + 1)
    dice = random.Random(SEED)
    for point in points if IS_FULL else sorted(dice.sample(points, min(KILLS, len(points)))):
        place.sql("UPDATE next_due SET due_at='2026-01-01T00:00:00.000Z'")
        killed = tracee.watch(begin, place.folder / "lock", kill_before=point)
        assert killed.code in (-signal.SIGKILL, 0)
        assert_true(place, f"killed before call {point}")
        place.sql("DELETE FROM next_due")
        assert not place.is_idle(), f"killed before call {point}"
        place.due_run()
        assert place.is_idle()
    figure(f"stamp: {len(points)} telling calls of what writes it, each killed before in the full campaign")


# power cuts


@pytest.fixture
def states() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield Path(folder)


@needs_strace
def test_no_power_cut_leaves_one_that_says_what_the_database_does_not_hold(place: Idle, states: Path) -> None:
    """Taken at its worst: the file system has kept the times of whichever state the stamp speaks of."""
    dice = random.Random(SEED)
    env = with_sqlite(place.env, "3.40.1")
    disk, looked_at, matched = Disk(on_disk(place.folder)), 0, 0
    for words in (("run", "counter"), ("due", "--run"), ("run", "counter"), ("due", "--run")):
        time.sleep(0.05)
        for event in record(place.folder, env, command(*words), DATABASE, f".{DATABASE}"):
            for state in cuts(disk, dice, RANDOM_ONES, every_single=isinstance(event.deed, Sync)):
                looked_at += 1
                matched += _is_true_after(state, states)
            disk.do(event.deed)
    assert matched
    figure(f"stamp: {looked_at} states after power cuts, in {matched} of which it spoke of the database as it was")


def _is_true_after(state: State, folder: Path) -> bool:
    """Whether the stamp speaks of the database of this state, whatever the times; then it says what that holds."""
    database, text = state.get(DATABASE, b""), state.get(f"{DATABASE}.idle", b"")
    first, *said = text.decode(errors="replace").split("\n", 3)
    counter, *_, length, _, _ = [*first.split(":"), "", "", ""][:6]
    if counter != database[24:28].hex() or length != str(len(database)) or state.get(f"{DATABASE}-journal"):
        return False
    put({name: content for name, content in state.items() if name.startswith(DATABASE)}, folder)
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        kept = db.execute(fast_path.ROW).fetchone()
    assert kept, "the row is gone, and the stamp speaks of it"
    assert said[:2] == list(kept[:2])
    assert said[2] == kept[2] or "\0" in said[2] or kept[2].startswith(said[2]), "it is whole, torn, or cut off"
    return True


# whatever people do


def _commit(place: Idle) -> None:
    place.sql("UPDATE next_due SET due_at='2026-01-01T00:00:00.000Z'")


def _forget(place: Idle) -> None:
    place.sql("DELETE FROM next_due")


def _other(place: Idle) -> None:
    place.sql("UPDATE schedules SET last_complaint='hm'")


def _roll_back(place: Idle) -> None:
    with closing(sqlite3.connect(place.database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM next_due")
        db.execute("ROLLBACK")


def _die_while_writing(place: Idle) -> None:
    """Leave a journal that must be undone: pages of the database are written already."""
    child = os.fork()
    if not child:
        db = sqlite3.connect(place.database, isolation_level=None)
        db.execute("PRAGMA cache_size=1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM next_due")
        db.execute("UPDATE schedules SET last_complaint=printf('%.500000c', 'x')")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def _back_up(place: Idle) -> None:
    shutil.copy2(place.database, place.folder / "backup.db")


def _restore_in_place(place: Idle) -> None:
    with suppress(FileNotFoundError):
        content = (place.folder / "backup.db").read_bytes()
        with place.database.open("r+b") as file:
            file.write(content)
            file.truncate()
        os.utime(place.database, ns=(0, (place.folder / "backup.db").stat().st_mtime_ns))


def _restore(place: Idle) -> None:
    with suppress(FileNotFoundError):
        shutil.copy2(place.folder / "backup.db", place.folder / "copy.db")
        (place.folder / "copy.db").replace(place.database)


def _vacuum(place: Idle) -> None:
    place.sql("VACUUM")


def _wal(place: Idle) -> None:
    place.sql("PRAGMA journal_mode=WAL")


def _no_wal(place: Idle) -> None:
    place.sql("PRAGMA journal_mode=TRUNCATE")


def _tick(place: Idle) -> None:
    if not place.is_idle():
        tick_in_process(place)


ACTS: tuple[Callable[[Idle], object], ...] = (
    _commit, _forget, _other, _roll_back, _die_while_writing, _back_up, _restore_in_place, _restore, _vacuum, _wal, _no_wal,
    *[_tick] * 6,
)  # fmt: skip


def tick_in_process(place: Idle) -> None:
    from pollctl import clock
    from pollctl.config.settings import load
    from pollctl.due import selection

    found = load(place.settings_file)
    selection.remember(found, selection.evaluate(found, clock.now()))


def test_whatever_is_done_to_the_database_it_says_what_that_holds_or_nothing(
    place: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "_began_ns", time.time_ns())
    dice = random.Random(SEED)
    spoke = 0
    for _ in range(HISTORIES):
        done: list[str] = []
        for _ in range(STEPS):
            act = dice.choice(ACTS)
            done.append(act.__name__)
            act(place)
            spoke += place.stamped() is not None
            assert_true(place, " ".join(done))
    assert spoke > HISTORIES
    figure(f"stamp: {HISTORIES * STEPS} things done to the database, after {spoke} of which it spoke, truly")
