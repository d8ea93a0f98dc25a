"""Bytes flip in a text column: listings show that row as damaged, all the others as they are, and never a traceback."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from plugin_package import clean_environment, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import ODD

from pollctl.cli import start

pytestmark = pytest.mark.slow

NOT_UTF8, NOT_A_VALUE = "X'7bff3a22e5'", "X'7b3a2c3a'"
"""What stands in the column then: bytes that are no text, or text that is neither a moment nor JSON."""


class Place(NamedTuple):
    """A folder with a database of two passes, each with an effect and a recording."""

    folder: Path
    run_ids: list[str]

    def damage(self, table: str, column: str, content: str, where: str = "1") -> None:
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as db, db:
            db.execute("PRAGMA ignore_check_constraints=ON")
            db.execute(f"UPDATE {table} SET {column}=CAST({content} AS TEXT) WHERE {where}")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    env = make_plugin_package(folder, "odd", ODD)
    write_settings(folder, "[plugins.odd]", 'how = "tells"', "[plugins.latency]")
    for minute in (0, 1):
        now = {"POLLCTL_NOW": f"2026-03-08T12:{minute:02}:00Z"}
        assert spawn_pollctl(folder, env | now, "run", "odd").returncode == 0
    return folder


@pytest.fixture
def place(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("pollctl.db", "pollctl.toml"):
        (tmp_path / name).write_bytes((original / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLLCTL_NOW", "2026-03-08T12:01:30Z")
    with closing(sqlite3.connect("pollctl.db")) as db:
        yield Place(tmp_path, [run_id for (run_id,) in db.execute("SELECT id FROM runs ORDER BY id")])


def text_columns() -> list[Any]:
    """Every text column of the tables that are listed, and each way in which it may be damaged."""
    from pollctl.store.database import open_to_plan

    with closing(open_to_plan(Path("/nonexistent/pollctl.db"), ())) as db:
        columns = [
            (table, name)
            for table in ("runs", "outbox", "recordings", "schedules")
            for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall()
            if kind == "TEXT"
        ]
    ways = {"not UTF-8": NOT_UTF8, "not a value": NOT_A_VALUE}
    return [
        pytest.param(*column, content, id=f"{'.'.join(column)} {way}")
        for column in columns
        for way, content in ways.items()
    ]


def listed(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    code = start(words)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert code == 0, err
    return out


@pytest.mark.parametrize(("table", "column", "content"), text_columns())
def test_every_listing_goes_on(
    place: Place, capfd: pytest.CaptureFixture[str], table: str, column: str, content: str
) -> None:
    damaged, sound = place.run_ids
    which = {"runs": f"id='{damaged}'", "outbox": f"run_id='{damaged}'", "recordings": f"run_id='{damaged}'"}
    place.damage(table, column, content, which.get(table, "1"))
    in_json = listed(capfd, "history", "--json") + listed(capfd, "status", "--json")
    history = json.loads(listed(capfd, "history", "--json"))
    assert len(history) == 2
    assert sound in [run["id"] for run in history]
    in_json += (effects_json := listed(capfd, "outbox", "list", "--json"))
    effects = json.loads(effects_json)
    assert len(effects) == 2
    assert effects[0]["run_id"] == sound
    shown = (
        listed(capfd, "history") + listed(capfd, "outbox", "list") + listed(capfd, "status") + listed(capfd, "metrics")
    )
    listed(capfd, "report")
    shown += "".join(listed(capfd, "show", run_id) for run_id in (damaged, sound) if (table, column) != ("runs", "id"))
    if content == NOT_UTF8 and f"{table}.{column}" not in NEVER_SHOWN:
        assert "damaged: {\\xff" in shown + in_json.replace("\\\\", "\\")


NEVER_SHOWN = {
    *("runs.trace_id", "runs.host", "recordings.settings", "recordings.state", "recordings.batch", "recordings.run_id"),
    *("schedules.not_before", "schedules.last_alert_at", "schedules.defaults", "schedules.last_complaint"),
}


@pytest.mark.parametrize("content", [NOT_UTF8, NOT_A_VALUE], ids=["not UTF-8", "not a value"])
def test_what_is_kept_of_one_plugin_is_damaged_and_the_others_stay_due(
    place: Place, capfd: pytest.CaptureFixture[str], content: str
) -> None:
    place.damage("schedules", "last_started_at", content, "plugin='odd'")
    assert start(["due"]) == 0
    out, err = capfd.readouterr()
    assert out.split() == ["latency"]
    assert err.count("\n") == 1
    assert "odd: what the database has of its last pass is damaged" in err
    assert "`pollctl run odd` to write it again" in err


def test_a_pass_by_hand_writes_it_again(original: Path, place: Place, tmp_path: Path) -> None:
    place.damage("schedules", "last_started_at", NOT_UTF8, "plugin='odd'")
    env = clean_environment(tmp_path) | {"PYTHONPATH": str(original / "site-odd")}
    assert spawn_pollctl(tmp_path, env, "run", "odd").returncode == 0
    assert spawn_pollctl(tmp_path, env, "why", "odd").returncode == 0


def test_a_plugins_own_listing_goes_on_too(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    for target in ("http://one.example", "http://two.example"):
        assert start(["latency", "add", target]) == 0
    with closing(sqlite3.connect("pollctl.db")) as db:
        columns = [name for _, name, kind, *_ in db.execute("PRAGMA table_info(latency_jobs)") if kind == "TEXT"]
    capfd.readouterr()
    for column in columns:
        place.damage("latency_jobs", column, NOT_UTF8, "rowid=1")
    jobs = json.loads(listed(capfd, "latency", "jobs", "--json"))
    assert len(jobs) == 2
    assert "damaged: {\\xff" in json.dumps(jobs, ensure_ascii=False).replace("\\\\", "\\")
    assert "damaged: " in listed(capfd, "latency", "jobs")
