"""The stamp beside the database: it says what the database holds, or nothing (speed 1)."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from campaign import SEED, size
from core.due.idle import Idle

from pollctl import from_text
from pollctl.due import state

pytestmark = pytest.mark.slow

CLOCKS = size(200, 10_000)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Idle:
    monkeypatch.chdir(tmp_path)
    place = Idle(tmp_path)
    place.stamp_it()
    return place


def test_what_the_full_way_notes_stands_in_the_stamp_too(place: Idle) -> None:
    assert place.stamped() == place.row()
    assert place.is_idle()
    assert place.stamp.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.folder.glob(".*")] == []


# what changes the database


def times_put_back(place: Idle) -> None:
    before = place.database.stat()
    place.sql("DELETE FROM next_due")
    os.utime(place.database, ns=(before.st_atime_ns, before.st_mtime_ns))


def times_not_synced(place: Idle) -> None:
    """After a power cut: the commit is there, the times of the file are those of before."""
    place.sql("UPDATE next_due SET due_at='2026-01-01T00:00:00.000Z'")
    counter, _, rest = place.stamp.read_text().partition("\n")
    now = place.database.stat()
    times = f"{now.st_dev}:{now.st_ino}:{now.st_size}:{now.st_mtime_ns}:{now.st_ctime_ns}"
    place.stamp.write_text(f"{counter.partition(':')[0]}:{times}\n{rest}")


def restored_in_place(place: Idle) -> None:
    backup = place.folder / "backup.db"
    shutil.copy2(place.database, backup)
    with place.database.open("r+b") as file:
        file.write(backup.read_bytes())
    shutil.copystat(backup, place.database)


def replaced(place: Idle) -> None:
    shutil.copy2(place.database, place.folder / "copy.db")
    (place.folder / "copy.db").replace(place.database)


def in_wal(place: Idle) -> None:
    place.sql("PRAGMA journal_mode=WAL")


def hot_journal(place: Idle) -> None:
    Path(f"{place.database}-journal").write_bytes(b"x")


def half(place: Idle) -> None:
    place.stamp.write_bytes(place.stamp.read_bytes()[:40])


DOUBTS: dict[str, Callable[[Idle], object]] = {
    "a commit that takes the row": lambda place: place.sql("DELETE FROM next_due"),
    "a commit of something else": lambda place: place.sql("PRAGMA user_version=1"),
    "a commit, and the time of change put back": times_put_back,
    "a commit, and a power cut that took the times": times_not_synced,
    "a copy written over the database": restored_in_place,
    "a copy in the place of the database": replaced,
    "write-ahead log": in_wal,
    "a journal with something to undo": hot_journal,
    "no database": lambda place: place.database.unlink(),
    "an empty database": lambda place: place.database.write_bytes(b""),
    "no stamp": lambda place: place.stamp.unlink(),
    "an empty stamp": lambda place: place.stamp.write_bytes(b""),
    "zeros": lambda place: place.stamp.write_bytes(bytes(5000)),
    "half of its first line": half,
    "a stamp that others may write": lambda place: place.stamp.chmod(0o620),
}


@pytest.mark.parametrize("change", DOUBTS.values(), ids=DOUBTS.keys())
def test_in_doubt_it_says_nothing(place: Idle, change: Callable[[Idle], object]) -> None:
    assert place.stamped()
    change(place)
    assert place.stamped() is None


def test_a_pipe_in_its_place_keeps_nobody_waiting(place: Idle) -> None:
    place.stamp.unlink()
    os.mkfifo(place.stamp)
    assert place.stamped() is None
    assert place.is_idle()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away, which only root may")
def test_one_of_somebody_else_says_nothing(place: Idle) -> None:
    os.chown(place.stamp, 12_345, -1)
    assert place.stamped() is None


def test_bytes_that_are_no_text_take_the_full_way(place: Idle) -> None:
    place.stamp.write_bytes(b"\xff" * 50)
    assert not place.is_idle()


def test_in_wal_there_is_none(place: Idle) -> None:
    place.stamp.unlink()
    place.sql("PRAGMA journal_mode=WAL")
    place.sql("DELETE FROM next_due")
    place.due_run()
    assert place.row()
    assert not place.stamp.exists()
    assert place.is_idle()


def test_one_that_is_cut_off_or_mixed_up_never_makes_idle_what_is_due(place: Idle) -> None:
    place.sql("UPDATE next_due SET due_at='2026-01-01T00:00:00.000Z'")
    place.due_run()
    whole = place.stamp.read_text()
    assert place.is_idle()
    place.sql("DELETE FROM next_due")
    for length in range(0, len(whole), 7):
        place.stamp.write_text(whole[:length])
        assert not place.is_idle()


def test_where_no_file_can_be_made_the_row_alone_answers(place: Idle) -> None:
    place.sql("DELETE FROM next_due")
    place.stamp.unlink()
    place.stamp.mkdir()
    place.due_run()
    assert place.row()
    assert place.is_idle()


def test_a_commit_between_row_and_stamp_leaves_no_stamp(place: Idle) -> None:
    """The state is taken while nobody can commit, and only if the row still stands."""
    row = place.row()
    assert row
    place.stamp.unlink()
    place.sql("DELETE FROM next_due")
    state._stamp(place.database, (row[0], row[1], row[2]))
    assert not place.stamp.exists()


def test_who_reads_while_another_writes_is_answered_as_of_before(place: Idle) -> None:
    with closing(sqlite3.connect(place.database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=TRUNCATE")
        writer.execute("BEGIN IMMEDIATE")
        assert place.stamped()
        writer.execute("DELETE FROM next_due")
        assert place.stamped() is None  # a journal may have something to undo
        writer.execute("COMMIT")
    assert place.stamped() is None


# clocks


def test_at_every_clock_the_stamp_answers_as_the_row_does(place: Idle) -> None:
    row = place.row()
    assert row
    edges = [from_text(row[0]), from_text(row[1]), datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)]
    dice = random.Random(SEED)
    away = place.stamp.with_suffix(".away")
    for _ in range(CLOCKS):
        moment = dice.choice(edges) + timedelta(milliseconds=dice.choice([-1, 0, 1, dice.gauss(0, 1e8)]))
        with time_machine.travel(moment, tick=False):
            by_stamp = place.is_idle()
            place.stamp.rename(away)
            by_row = place.is_idle()
            away.rename(place.stamp)
        assert by_stamp is by_row is (row[1] <= _text(moment) < row[0]), f"at {moment}"


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
