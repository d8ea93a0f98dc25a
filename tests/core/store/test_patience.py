"""Room goes back to the disk, and who looks waits for a locked database once (people.md, rule 33)."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from place import Place

from pollctl.patience import patience, patient_for
from pollctl.store import database

LONG = "x" * 4000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.settings()
    return place


@pytest.mark.slow
@pytest.mark.parametrize("words", [["status"], ["metrics"], ["report"]], ids=" ".join)
def test_who_looks_waits_ten_seconds_in_all_however_many_plugins_there_are(place: Place, words: list[str]) -> None:
    place.call("db", "migrate")
    place.settings(*(f"[plugins.{name}]" for name in ("latency", "soc_sections", "shell_query", "toilet_gap")))
    with closing(sqlite3.connect(place.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        done = place.call(*words)
    assert time.monotonic() - began < 10
    assert done.returncode == 1
    assert "database is locked" in done.stderr


def test_what_is_opened_together_waits_once() -> None:
    assert patience() == 10
    with patient_for(0.2):
        assert 0 < patience() <= 0.2
        time.sleep(0.2)
        assert patience() == 0
    assert patience() == 10


def test_prune_gives_room_back_when_asked_to(place: Place) -> None:
    place.call("db", "migrate")
    with closing(database.open_to_write(place.database)) as db:
        with database.writing(db):
            db.conn.executemany("INSERT INTO holds VALUES ('p', ?, 'never')", ((f"{n}{LONG}",) for n in range(500)))
        with database.writing(db):
            db.conn.execute("DELETE FROM holds")
    size = place.database.stat().st_size
    assert place.do("db", "prune") == "deleted: 0 runs, 0 recordings, 0 effects\n"
    assert place.database.stat().st_size == size
    *_, said = place.do("db", "prune", "--compact").splitlines()
    given_back = size - place.database.stat().st_size
    assert given_back > 1_000_000
    assert said == f"given back to the disk: {given_back} bytes"
    assert place.do("db", "check").endswith(": ok\n")
