"""Which plugins are due and why (core §3), computed from the settings and the table ``schedules``."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from plugin_package import make_plugin_package, run_pollctl, write_settings
from sample_plugin import PLAIN

from pollctl import clock
from pollctl.config.settings import Config, load
from pollctl.due import selection
from pollctl.errors import ConfigError, DatabaseError
from pollctl.schedule.model import Verdict
from pollctl.store import database
from pollctl.store.lock import held, lock_path

NOON = datetime(2026, 3, 8, 12, 0, 30, tzinfo=UTC)
HOURLY = '[plugins.alpha]\nschedule = "0 * * * *"'


def settings(tmp_path: Path, *sections: str) -> Config:
    return load(write_settings(tmp_path, *sections))


def ran(found: Config, plugin: str, **columns: object) -> None:
    """Write how *plugin* stands after passes."""
    row = {"plugin": plugin, "last_started_at": "2026-03-08T12:00:01.000Z", **columns}
    with closing(database.open_to_write(found.core.database)) as db, database.writing(db):
        names, marks = ",".join(row), ",".join("?" * len(row))
        db.conn.execute(f"INSERT INTO schedules ({names}) VALUES ({marks})", list(row.values()))


def names_due(found: Config, now: datetime = NOON) -> list[str]:
    return selection.evaluate(found, now).due


def test_without_a_database_every_enabled_plugin_is_due(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY, "[plugins.beta]", "[plugins.off]\nenabled = false")
    assert names_due(found) == ["alpha", "beta"]
    assert not found.core.database.exists()


def test_a_plugin_is_due_when_no_pass_started_since_its_latest_slot(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY)
    ran(found, "alpha")
    assert names_due(found) == []
    assert names_due(found, NOON.replace(hour=13)) == ["alpha"]
    verdict = selection.judge_all(found, NOON)["alpha"]
    assert isinstance(verdict, Verdict)
    assert clock.to_text(verdict.next_due_at) == "2026-03-08T13:00:00.000Z"


def test_the_own_schedule_of_a_plugin_holds_without_importing_it(tmp_path: Path) -> None:
    found = settings(tmp_path, "[plugins.no_such_module]")
    ran(found, "no_such_module", defaults='{"schedule": "0 0 * * *"}')
    assert names_due(found, NOON.replace(hour=23)) == []
    assert names_due(found, NOON.replace(day=9, hour=0)) == ["no_such_module"]


def test_a_row_without_a_start_means_that_it_never_ran(tmp_path: Path) -> None:
    """A complaint about wrong settings is kept before the first pass."""
    found = settings(tmp_path, HOURLY)
    ran(found, "alpha", last_started_at=None, last_complaint="something")
    assert names_due(found) == ["alpha"]


@pytest.mark.parametrize(
    ("outcome", "is_due"),
    [("failed", False), ("crashed", False), ("interrupted", True), ("partial", True)],
)
def test_only_failed_and_crashed_passes_back_off(tmp_path: Path, outcome: str, *, is_due: bool) -> None:
    found = settings(tmp_path, '[plugins.alpha]\nschedule = "* * * * *"')
    ended = "2026-03-08T11:59:58.000Z"
    ran(
        found,
        "alpha",
        last_started_at=ended,
        last_finished_at=ended,
        last_outcome=outcome,
        consecutive_failures=2,
    )
    assert names_due(found) == (["alpha"] if is_due else [])


def test_an_error_in_one_section_stops_only_that_plugin(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY, '[plugins.bad]\nschedule = "61 * * * *"', '[plugins.worse]\ndeadline = "soon"')
    verdicts = selection.judge_all(found, NOON)
    assert selection.evaluate(found, NOON).due == ["alpha"]
    assert isinstance(verdicts["bad"], ConfigError)
    assert "61 * * * *" in str(verdicts["bad"])
    assert isinstance(verdicts["worse"], ConfigError)


def test_a_last_start_in_the_future_is_ignored_and_noticed(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY)
    ran(found, "alpha", last_started_at="2026-03-08T13:00:31.000Z")
    assert names_due(found) == ["alpha"]
    assert selection.evaluate(found, NOON).has_start_to_come
    assert not selection.evaluate(found, NOON.replace(hour=14)).has_start_to_come


def test_a_database_of_a_newer_pollctl_is_refused(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY)
    ran(found, "alpha")
    with closing(sqlite3.connect(found.core.database)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(DatabaseError, match="newer pollctl"):
        selection.judge_all(found, NOON)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "an empty"), (b"text" * 1000, "not an SQLite file")],
    ids=["empty", "no database"],
)
def test_what_is_no_database_is_refused_with_a_remedy(tmp_path: Path, content: bytes, message: str) -> None:
    found = settings(tmp_path, HOURLY)
    found.core.database.write_bytes(content)
    with pytest.raises(DatabaseError, match=message):
        selection.judge_all(found, NOON)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY)
    with closing(sqlite3.connect(found.core.database)) as connection:
        connection.execute("CREATE TABLE schedules (plugin, last_started_at)")
    with pytest.raises(DatabaseError, match="another program"):
        selection.judge_all(found, NOON)


CUT_OFF = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=DELETE")
connection.execute("PRAGMA cache_size=1")
connection.execute("PRAGMA cache_spill=1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE schedules SET last_started_at='2026-03-08T13:00:00.000Z'")
connection.execute("CREATE TABLE large (text)")
for _ in range(500):
    connection.execute("INSERT INTO large VALUES (?)", ("x" * 4000,))
os._exit(9)
"""


def test_what_a_crash_left_half_written_is_rolled_back_first(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY)
    ran(found, "alpha")
    subprocess.run([sys.executable, "-c", CUT_OFF, str(found.core.database)], check=False)
    journal = found.core.database.with_name("pollctl.db-journal")
    assert journal.stat().st_size > 0
    assert selection.evaluate(found, NOON).states["alpha"].last_started_at == "2026-03-08T12:00:01.000Z"


def test_the_next_slots_are_strictly_after_now_and_before_jitter(tmp_path: Path) -> None:
    found = settings(tmp_path, f'{HOURLY}\njitter = "20m"', '[plugins.bad]\nschedule = "x"')
    ran(found, "alpha")
    slots = selection.next_slots(found, NOON.replace(minute=0, second=0), 2)
    assert slots["alpha"] == [NOON.replace(hour=hour, minute=0, second=0) for hour in (13, 14)]
    assert isinstance(slots["bad"], ConfigError)


def test_slots_of_a_plugin_that_never_ran_come_from_its_own_schedule(tmp_path: Path) -> None:
    source = make_source(schedule="15 3 * * *")
    env = make_plugin_package(tmp_path, "counter", source)
    write_settings(tmp_path, "[plugins.counter]")
    done = run_pollctl(tmp_path, {**env, "POLLCTL_NOW": clock.to_text(NOON)}, "due", "--next", "1", "--json")
    assert done.stdout.split() == ["{", '"counter":', "[", '"2026-03-09T03:15:00.000Z"', "]", "}"]


def make_source(*, schedule: str) -> str:
    return PLAIN.replace("decision=Seen)", f"decision=Seen, schedule={schedule!r})")


def gates(reason: selection.Why) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in reason.gates}


def test_why_goes_through_every_gate_in_order(tmp_path: Path) -> None:
    found = settings(tmp_path, '[plugins.latency]\nschedule = "0 * * * *"\ntimezone = "Asia/Kolkata"')
    ran(found, "latency")
    reason = selection.why(found, "latency", NOON)
    assert list(gates(reason)) == [
        "enabled",
        "loads",
        "slot",
        "last start",
        "jitter",
        "backoff",
        "idle",
        "catch-up",
        "lock",
    ]
    assert not reason.is_due
    assert reason.next_due_at == datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
    texts = {gate.name: gate.text for gate in reason.gates}
    assert "2026-03-08 17:00:00 Asia/Kolkata" in texts["slot"]
    assert "2026-03-08T11:30:00Z" in texts["slot"]
    assert "2026-03-08T12:00:01Z" in texts["last start"]


def test_why_a_plugin_that_is_not_enabled_is_not_due_and_never_will_be(tmp_path: Path) -> None:
    found = settings(tmp_path, "[plugins.latency]\nenabled = false")
    for name, text in {"latency": "enabled = false", "toilet-gap": "no section"}.items():
        reason = selection.why(found, name, NOON)
        assert not gates(reason)["enabled"]
        assert text in reason.gates[0].text
        assert (reason.is_due, reason.next_due_at) == (False, None)


def test_why_names_what_keeps_a_plugin_from_loading_though_it_is_due(tmp_path: Path) -> None:
    reason = selection.why(settings(tmp_path, "[plugins.latensy]"), "latensy", NOON)
    assert not gates(reason)["loads"]
    assert "did you mean 'latency'" in reason.gates[1].text
    assert reason.is_due


def test_why_names_the_pass_that_holds_the_lock(tmp_path: Path) -> None:
    found = settings(tmp_path, HOURLY)
    with held(lock_path(found.core.database, "alpha"), run_id="run-7"):
        reason = selection.why(found, "alpha", NOON)
    assert not gates(reason)["lock"]
    assert "run run-7, since 20" in reason.gates[-1].text
    assert gates(selection.why(found, "alpha", NOON))["lock"]


def test_jitter_and_h_depend_on_plugin_and_host_only(tmp_path: Path) -> None:
    sections = [f'[plugins.{name}]\nschedule = "H H * * *"' for name in ("alpha", "beta")]
    slots = selection.next_slots(settings(tmp_path, *sections), NOON, 1)
    assert slots == selection.next_slots(settings(tmp_path, *sections), NOON, 1)
    assert slots["alpha"] != slots["beta"]
