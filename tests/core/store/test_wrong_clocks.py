"""One pass runs while the clock is an hour, or twelve years, ahead: the next ones are not held up, and nothing is forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from journals import choosing, in_both_journals, take
from plugin_package import Env, json_of, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import PLAIN
from sqlite_utils import Database

from pollctl.clock import is_waiting, to_text
from pollctl.config.schema import Notify, Retention
from pollctl.delivery import admin, notify
from pollctl.redaction import Secret
from pollctl.store import database, holds, retention, runs
from pollctl.store.failures import Failures
from pollctl.units import PositiveDuration

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AHEAD = [pytest.param(HOUR, id="an hour"), pytest.param(12 * 365 * DAY, id="twelve years")]
KEPT = Retention(
    runs=PositiveDuration(days=90), recordings=PositiveDuration(days=30), effects=PositiveDuration(days=30)
)

HOLDING = PLAIN.replace(
    "@hookimpl\ndef pollctl_fetch(run):\n",
    """
from datetime import timedelta

@hookimpl
def pollctl_fetch(run):
    run.log(f"held until {run.held_until('api')}")
    if run.settings.word == "fail":
        raise OSError("no route")
""",
).replace("    run.count(", "    run.hold('api', run.now + timedelta(minutes=10))\n    run.count(")


@pytest.fixture(params=["TRUNCATE", "WAL"])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    take(request.param, monkeypatch)
    with closing(database.open_to_write(tmp_path / "pollctl.db")) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == (request.param.lower(),)
        yield opened


def run_at(place: Path, env: Env, now: datetime, **more: Any) -> Any:
    return spawn_pollctl(place, env | {"POLLCTL_NOW": to_text(now)}, "run", "counter", "--json", **more)


@pytest.fixture
def env(tmp_path: Path) -> Env:
    write_settings(tmp_path, "[plugins.counter]")
    return make_plugin_package(tmp_path, "counter", HOLDING)


@pytest.mark.parametrize(
    ("ahead", "is_on"),
    [(timedelta(0), False), (timedelta(milliseconds=1), True), (HOUR, True), (HOUR + timedelta(milliseconds=1), False)],
    ids=["over", "almost over", "the whole wait", "longer than any wait"],
)
def test_a_wait_goes_on_only_as_long_as_it_may(ahead: timedelta, is_on: bool) -> None:
    assert is_waiting(NOW + ahead, NOW, HOUR) is is_on


def test_moments_at_the_ends_of_time_are_judged_too() -> None:
    assert not is_waiting(datetime.max.replace(tzinfo=UTC), NOW, HOUR)
    assert not is_waiting(datetime.min.replace(tzinfo=UTC), NOW, HOUR)


@in_both_journals
def test_a_hold_of_a_wrong_clock_holds_nobody_up(tmp_path: Path, env: Env, mode: str) -> None:
    env = choosing(env, mode)
    run_at(tmp_path, env, NOW + 12 * 365 * DAY)
    done = run_at(tmp_path, env, NOW)
    assert json_of(done)["outcome"] == "ok"
    assert "held until None" in done.stderr
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as opened:
        assert opened.execute("SELECT not_before FROM holds").fetchone() == ("2026-03-08T12:10:00.000Z",)
    assert "held until 2026-03-08 12:10" in run_at(tmp_path, env, NOW + timedelta(minutes=1)).stderr


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_hold_is_never_longer_than_a_hold_may_be(db: Database, ahead: timedelta) -> None:
    with database.writing(db):
        holds.keep(db, "counter", {"api": NOW + ahead + DAY}, NOW + ahead)
    assert not holds.is_held(holds.of_plugin(db, "counter")["api"], NOW)
    with database.writing(db):
        holds.keep(db, "counter", {"api": NOW + HOUR}, NOW)
        holds.keep(db, "counter", {"api": NOW + 2 * HOUR}, NOW)
        holds.keep(db, "counter", {"api": NOW + HOUR}, NOW)
    assert holds.of_plugin(db, "counter") == {"api": NOW + 2 * HOUR}, "the later of two that are possible wins"


def test_a_hold_beyond_a_day_holds_for_a_day_in_its_own_pass_too(tmp_path: Path) -> None:
    source = HOLDING.replace("minutes=10", "days=30") + "    run.log(f\"now until {run.held_until('api')}\")\n"
    write_settings(tmp_path, "[plugins.counter]")
    done = run_at(tmp_path, make_plugin_package(tmp_path, "counter", source), NOW)
    assert "now until 2026-03-09 12:00" in done.stderr


@pytest.mark.parametrize("ahead", AHEAD)
def test_people_are_notified_again_after_an_alert_of_a_wrong_clock(ahead: timedelta) -> None:
    settings = Notify(urls=(Secret("json://nobody.example"),), renotify_every=PositiveDuration(hours=6))

    def alerts(last: datetime) -> int:
        return len(
            notify.alerts(settings, "counter", "run", Failures(consecutive=9, last_alert_at=last), "failed", None, NOW)
        )

    assert alerts(NOW + ahead) == 1
    assert alerts(NOW - HOUR) == 0
    assert alerts(NOW) == 0
    assert alerts(NOW - 6 * HOUR) == 1


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_backoff_of_a_wrong_clock_is_neither_obeyed_nor_shown(tmp_path: Path, env: Env, ahead: timedelta) -> None:
    write_settings(tmp_path, "[plugins.counter]", 'word = "fail"', 'backoff = "1h"', 'backoff_max = "1d"')
    assert run_at(tmp_path, env, NOW + ahead).returncode == 1
    status = json_of(spawn_pollctl(tmp_path, env | {"POLLCTL_NOW": to_text(NOW)}, "status", "--json"))
    assert [(row["backoff_until"], row["is_due"]) for row in status] == [(None, True)]
    assert run_at(tmp_path, env, NOW).returncode == 1
    status = json_of(spawn_pollctl(tmp_path, env | {"POLLCTL_NOW": to_text(NOW)}, "status", "--json"))
    assert [(row["backoff_until"], row["is_due"]) for row in status] == [("2026-03-08T14:00:00.000Z", False)]


def test_the_latest_pass_is_the_one_that_began_last_whatever_its_clock_said(tmp_path: Path, env: Env) -> None:
    run_at(tmp_path, env, NOW + 12 * 365 * DAY)
    write_settings(tmp_path, "[plugins.counter]", 'word = "fail"')
    run_at(tmp_path, env, NOW)
    (row,) = json_of(spawn_pollctl(tmp_path, env | {"POLLCTL_NOW": to_text(NOW)}, "status", "--json"))
    assert row["outcome"] == "failed"
    assert "no route" in row["problem"]


def write_run(db: Database, at: datetime, plugin: str = "counter") -> None:
    run_id = runs.new_id(at)
    db.execute(
        "INSERT INTO runs (id, plugin, trigger, started_at, finished_at, outcome, trace_id, pid, host) "
        "VALUES (?,?,'due',?,?,'ok','0',1,'here')",
        (run_id, plugin, to_text(at), to_text(at)),
    )
    db.execute("INSERT INTO recordings VALUES (?,1,?,'{}','{}','{}','[]')", (run_id, to_text(at)))


def write_effect(
    db: Database, key: str, created: datetime, *, delivered: datetime | None = None, dead: datetime | None = None
) -> None:
    db.execute(
        "INSERT INTO outbox (plugin, run_id, kind, key, lane, payload, status, next_attempt_at, created_at, delivered_at) "
        "VALUES ('counter','run','word',?,?,'{}',?,?,?,?)",
        (
            key,
            key,
            "dead" if dead else "delivered",
            to_text(dead or created),
            to_text(created),
            to_text(delivered) if delivered else None,
        ),
    )  # fmt: skip


def left(db: Database) -> dict[str, int]:
    tables = ("runs", "recordings", "outbox")
    return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_retention_deletes_nothing_by_a_clock_that_jumped(db: Database) -> None:
    for days in (0, 1, 20, 29):
        write_run(db, NOW - days * DAY)
        write_effect(db, f"{days} days old", NOW - days * DAY, delivered=NOW - days * DAY)
    before = left(db)
    for plugin in ("counter", "another that was due at the same moment"):
        wrong = NOW + 12 * 365 * DAY
        write_run(db, wrong, plugin)
        retention.prune_after_pass(db, KEPT, wrong + timedelta(seconds=30))
    assert left(db) == before | {"runs": before["runs"] + 2, "recordings": before["recordings"] + 2}
    retention.prune_after_pass(db, KEPT, NOW + HOUR)
    assert left(db)["outbox"] == before["outbox"], "nor afterwards, by the rows of that hour"


def test_retention_goes_on_after_a_pause(db: Database) -> None:
    write_run(db, NOW - 400 * DAY)
    write_effect(db, "old", NOW - 400 * DAY, delivered=NOW - 400 * DAY)
    for days in (0, 1, 2):
        write_run(db, NOW + days * DAY)
        retention.prune_after_pass(db, KEPT, NOW + days * DAY)
    assert left(db) == {"runs": 3, "recordings": 3, "outbox": 0}


def test_retention_of_an_hour_keeps_little_more_than_that(db: Database) -> None:
    short = Retention(
        runs=PositiveDuration(hours=1), recordings=PositiveDuration(hours=1), effects=PositiveDuration(days=30)
    )
    for minutes in range(0, 600, 20):
        write_run(db, NOW + timedelta(minutes=minutes))
        retention.prune_after_pass(db, short, NOW + timedelta(minutes=minutes))
    assert left(db)["runs"] <= 8


def test_a_key_is_forgotten_by_when_its_effect_arrived_or_died_never_by_when_it_was_queued(db: Database) -> None:
    write_effect(db, "waited long", NOW - 300 * DAY, delivered=NOW - DAY)
    write_effect(db, "gave up late", NOW - 300 * DAY, dead=NOW - DAY)
    write_effect(db, "queued while the clock was ahead", NOW + 300 * DAY, delivered=NOW - 40 * DAY)
    write_effect(db, "died then", NOW - 300 * DAY, dead=NOW - 40 * DAY)
    assert retention.prune(db, KEPT, NOW)["effects"] == 2
    keys = [key for (key,) in db.execute("SELECT key FROM outbox ORDER BY id")]
    assert keys == ["waited long", "gave up late"]


def test_an_effect_that_a_person_dropped_died_at_that_moment(db: Database) -> None:
    write_effect(db, "waits", NOW - 300 * DAY, dead=NOW - 300 * DAY)
    db.execute("UPDATE outbox SET status='unknown'")
    admin.drop(db, [1], NOW)
    assert retention.prune(db, KEPT, NOW)["effects"] == 0
