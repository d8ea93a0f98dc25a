"""Commands that look, and those that tidy up: due, why, status, history, show, plugins, outbox, db, init, crontab."""

import json
import re
import shlex
import sqlite3
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from plugin_package import Env, clean_environment, json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import ODD, PLAIN

from pollctl.store.lock import held, lock_path

ROOT = Path(__file__).parents[3]
NOON = {"POLLCTL_NOW": "2026-03-08T12:00:30Z"}


@pytest.fixture
def odd(tmp_path: Path) -> Env:
    """The plugin ODD with two passes behind it: a good one that told somebody, and one that failed."""
    env = make_plugin_package(tmp_path, "odd", ODD) | NOON
    write_settings(tmp_path, "[plugins.odd]", 'how = "tells"', 'schedule = "*/5 * * * *"')
    assert run_pollctl(tmp_path, env, "run", "odd").returncode == 0
    write_settings(tmp_path, "[plugins.odd]", 'how = "raises"', 'schedule = "*/5 * * * *"')
    assert run_pollctl(tmp_path, env | {"POLLCTL_NOW": "2026-03-08T12:05:10Z"}, "run", "odd").returncode == 1
    return env | {"POLLCTL_NOW": "2026-03-08T12:05:20Z"}


LISTINGS = [
    "due", "due --next 2", "due --run", "why", "why latency", "status", "history", "history latency", "plugins",
    "check", "outbox list", "replay",
]  # fmt: skip


@pytest.mark.parametrize("words", LISTINGS)
def test_every_listing_prints_one_json_document(tmp_path: Path, odd: Env, words: Any) -> None:
    write_settings(tmp_path, "[plugins.latency]", "enabled = false", "[plugins.odd]")
    done = run_pollctl(tmp_path, odd, *words.split(), "--json")
    json.loads(done.stdout)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["due", "why", "status", "history", "plugins", "outbox list"])
def test_looking_creates_no_database(tmp_path: Path, words: Any) -> None:
    write_settings(tmp_path, "[plugins.latency]")
    done = run_pollctl(tmp_path, clean_environment(tmp_path), *words.split())
    assert done.returncode == 0
    assert not (tmp_path / "pollctl.db").exists()


def test_due_lists_names_one_a_line(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain", env=make_plugin_package(tmp_path, "odd", ODD))
    write_settings(tmp_path, "[plugins.plain]", "[plugins.odd]", "[plugins.latency]", "enabled = false")
    assert run_pollctl(tmp_path, env, "due").stdout == "plain\nodd\n"
    assert json_of(run_pollctl(tmp_path, env, "due", "--json")) == ["plain", "odd"]


def test_due_at_a_moment_says_what_would_be_due_then(tmp_path: Path, odd: Env) -> None:
    assert json_of(run_pollctl(tmp_path, odd, "due", "--json", "--at", "2026-03-08T12:06:00Z")) == []
    assert json_of(run_pollctl(tmp_path, odd, "due", "--json", "--at", "2026-03-08T12:10:00Z")) == ["odd"]


def test_the_next_slots_come_strictly_after_the_moment(tmp_path: Path, odd: Env) -> None:
    slots = ["2026-03-08T12:10:00.000Z", "2026-03-08T12:15:00.000Z"]
    answer = json_of(run_pollctl(tmp_path, odd, "due", "--next", "2", "--at", "2026-03-08T12:05:00Z", "--json"))
    assert answer == {"odd": slots}


def test_an_error_in_one_section_is_a_warning_for_the_others(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, "[plugins.plain]", "[plugins.latency]", 'schedule = "61 * * * *"')
    done = run_pollctl(tmp_path, env, "due", "--json")
    assert (json_of(done), done.returncode) == (["plain"], 0)
    assert "pollctl: pollctl.toml: plugins.latency.schedule" in done.stderr


@pytest.mark.parametrize(
    "words", ["due", "due --run", "due --next 1", "why", "why plain", "status", "run plain", "check"]
)
def test_a_wrong_schedule_for_all_stops_every_command_that_looks_at_it(tmp_path: Path, words: str) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, 'schedule = "61 * * * *"', "[plugins.plain]", '[plugins.latency]\nschedule = "@daily"')
    done = run_pollctl(tmp_path, env, *words.split())
    assert done.returncode == 2
    said = [line for line in (done.stdout + done.stderr).splitlines() if "pollctl.schedule: '61 * * * *' is no" in line]
    assert len(said) == 1
    assert not (tmp_path / "pollctl.db").exists()


def test_why_goes_through_the_gates_and_ends_with_the_answer(tmp_path: Path, odd: Env) -> None:
    done = run_pollctl(tmp_path, odd, "why", "odd")
    gates = [line.split()[1] for line in done.stdout.splitlines() if re.match(r"  (yes|no) ", line)]
    assert gates == ["enabled", "loads", "slot", "last", "jitter", "backoff", "idle", "catch-up", "lock"]
    assert done.stdout.strip().endswith("not due, next at 2026-03-08T12:10:00.000Z")
    reason = json_of(run_pollctl(tmp_path, odd, "why", "odd", "--json"))
    assert (reason["plugin"], reason["is_due"], reason["next_due_at"]) == ("odd", False, "2026-03-08T12:10:00.000Z")
    assert [gate["name"] for gate in reason["gates"] if not gate["passed"]] == ["last start", "backoff"]


def test_status_has_a_row_per_plugin(tmp_path: Path, odd: Env) -> None:
    with held(lock_path(tmp_path / "pollctl.db", "odd"), run_id="the-other"):
        (row,) = json_of(run_pollctl(tmp_path, odd, "status", "--json"))
    assert row["lock"]["run_id"] == "the-other"
    assert row["outcome"] == "running"
    (row,) = json_of(run_pollctl(tmp_path, odd, "status", "--json"))
    problem = row.pop("problem")
    assert "boom" in problem
    assert row == {
        "plugin": "odd",
        "enabled": True,
        "outcome": "failed",
        "last_started_at": "2026-03-08T12:05:10.000Z",
        "last_finished_at": "2026-03-08T12:05:10.000Z",
        "age_s": 10,
        "is_due": False,
        "next_due_at": "2026-03-08T12:10:00.000Z",
        "consecutive_failures": 1,
        "backoff_until": "2026-03-08T12:06:10.000Z",
        "idle_until": None,
        "lock": None,
        "outbox": {"delivered": 1},
        "notice": None,
    }
    assert "failed   10 s" in run_pollctl(tmp_path, odd, "status").stdout


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ("return 'look\\x1b here'", r"look\x1b here"),
        ("return None", None),
        ("raise ValueError('no')", "pollctl_status raised ValueError: no"),
        ("db.execute('DELETE FROM runs')", "pollctl_status raised OperationalError"),
    ],
    ids=["says something", "says nothing", "raises", "writes"],
)
def test_status_shows_what_a_plugin_itself_has_to_say(tmp_path: Path, body: str, notice: str | None) -> None:
    source = f"{PLAIN}\n@hookimpl\ndef pollctl_status(db, now):\n    {body}\n"
    env = make_plugin_package(tmp_path, "plain", source)
    write_settings(tmp_path, "[plugins.plain]")
    assert run_pollctl(tmp_path, env, "run", "plain").returncode == 0
    (row,) = json_of(run_pollctl(tmp_path, env, "status", "--json"))
    assert row["outcome"] == "ok"
    assert (row["notice"] or "").startswith(notice or "")
    assert (row["notice"] is None) is (notice is None)


def test_status_shows_a_plugin_that_ran_and_is_not_enabled_any_more(tmp_path: Path, odd: Env) -> None:
    write_settings(tmp_path)
    (row,) = json_of(run_pollctl(tmp_path, odd, "status", "--json"))
    assert (row["plugin"], row["enabled"], row["is_due"], row["next_due_at"]) == ("odd", False, False, None)


def test_history_is_newest_first_and_can_be_narrowed(tmp_path: Path, odd: Env) -> None:
    assert [run["outcome"] for run in json_of(run_pollctl(tmp_path, odd, "history", "--json"))] == ["failed", "ok"]
    assert len(json_of(run_pollctl(tmp_path, odd, "history", "odd", "--limit", "1", "--json"))) == 1
    assert json_of(run_pollctl(tmp_path, odd, "history", "latency", "--json")) == []


def test_show_tells_everything_about_one_pass(tmp_path: Path, odd: Env) -> None:
    run_id = json_of(run_pollctl(tmp_path, odd, "history", "--json"))[1]["id"]
    run = json_of(run_pollctl(tmp_path, odd, "show", run_id, "--json"))
    assert (run["outcome"], run["outbox"][0]["status"]) == ("ok", "delivered")
    assert run["recordings"][0]["decisions"] == [{"type": "Seen", "number": 1, "reason": "by rule one"}]
    assert "word of" in run_pollctl(tmp_path, odd, "show", run_id).stdout
    missing = run_pollctl(tmp_path, odd, "show", "nothing")
    assert (missing.returncode, missing.stderr.startswith("pollctl: no run 'nothing'")) == (1, True)


def test_plugins_names_version_distribution_schedule_and_state(tmp_path: Path, odd: Env) -> None:
    env = make_plugin_package(tmp_path, "broken", "import no_such_module", env=odd)
    rows = {row["plugin"]: row for row in json_of(run_pollctl(tmp_path, env, "plugins", "--json"))}
    assert rows["odd"] == {
        "plugin": "odd",
        "distribution": "odd-package",
        "version": "1.2.3",
        "state": "enabled",
        "schedule": "*/5 * * * *",
        "summary": "Behaves as its settings say.",
        "error": None,
    }
    assert rows["latency"]["state"] == "disabled"
    assert rows["broken"]["state"] == "broken"
    assert "plugin 'broken' (broken-package 1.2.3): cannot be imported" in rows["broken"]["error"]
    assert rows["broken"]["error"] in run_pollctl(tmp_path, env, "plugins").stderr


def test_a_dead_effect_can_be_retried_and_dropped_by_hand(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "odd", ODD)
    write_settings(tmp_path, "[plugins.odd]", 'how = "tells in vain"')
    assert run_pollctl(tmp_path, env, "run", "odd").returncode == 3
    (effect,) = json_of(run_pollctl(tmp_path, env, "outbox", "list", "--json"))
    assert (effect["status"], effect["payload"], effect["plugin"]) == ("dead", {"says": "hello"}, "odd")
    assert "\x1b" not in run_pollctl(tmp_path, env, "outbox", "list").stdout
    assert run_pollctl(tmp_path, env, "outbox", "retry", "--dead").returncode == 0
    assert [row["status"] for row in json_of(run_pollctl(tmp_path, env, "outbox", "list", "--json"))] == ["pending"]
    assert run_pollctl(tmp_path, env, "outbox", "drop", str(effect["id"])).returncode == 0
    narrowed = run_pollctl(tmp_path, env, "outbox", "list", "--json", "--status", "dead", "--plugin", "odd")
    assert json_of(narrowed)[0]["last_error"] == "dropped by hand"
    refused = run_pollctl(tmp_path, env, "outbox", "retry", "99")
    assert (refused.returncode, refused.stderr[:34]) == (2, "pollctl: effect 99 does not exist;")


def test_a_backup_is_a_whole_database_for_its_owner_alone(tmp_path: Path, odd: Env) -> None:
    assert run_pollctl(tmp_path, odd, "db", "backup", "copy.db").returncode == 0
    copy = tmp_path / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)
    connection.close()
    assert run_pollctl(tmp_path, odd, "db", "backup", "pollctl.db").returncode == 2
    nowhere = run_pollctl(tmp_path, odd, "db", "backup", "none/copy.db")
    assert (nowhere.returncode, "none" in nowhere.stderr, "Traceback" in nowhere.stderr) == (1, True, False)


def test_a_damaged_database_is_told_by_check(tmp_path: Path, odd: Env) -> None:
    assert run_pollctl(tmp_path, odd, "db", "check").returncode == 0
    with (tmp_path / "pollctl.db").open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 4)
    done = run_pollctl(tmp_path, odd, "db", "check")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert run_pollctl(tmp_path, odd, "check").returncode == 1


def test_prune_deletes_what_is_older_than_the_settings_keep(tmp_path: Path, odd: Env) -> None:
    write_settings(tmp_path, "[pollctl.retention]", 'runs = "1d"', "[plugins.odd]")
    later = odd | {"POLLCTL_NOW": "2026-03-20T12:00:00Z"}
    assert run_pollctl(tmp_path, later, "db", "prune").stdout == "deleted: 2 runs, 0 recordings, 0 effects\n"
    assert json_of(run_pollctl(tmp_path, later, "history", "--json")) == []


def test_init_writes_settings_that_check_and_never_overwrites(tmp_path: Path) -> None:
    env = clean_environment(tmp_path)
    assert run_pollctl(tmp_path, env, "init", "new/place").returncode == 0
    place = tmp_path / "new" / "place"
    assert [stat.S_IMODE((place / name).stat().st_mode) for name in ("pollctl.toml", "pollctl.db")] == [0o600, 0o600]
    assert run_pollctl(place, env, "due").stdout == "latency\n"
    before = (place / "pollctl.toml").read_bytes()
    again = run_pollctl(place, env, "init")
    assert (again.returncode, again.stderr) == (1, "pollctl: pollctl.toml: is there already; nothing was changed\n")
    assert (place / "pollctl.toml").read_bytes() == before


def test_init_leaves_a_database_that_is_there_as_it_is(tmp_path: Path, odd: Env) -> None:
    (tmp_path / "pollctl.toml").unlink()
    assert "was there already" in run_pollctl(tmp_path, odd, "init").stdout
    assert len(json_of(run_pollctl(tmp_path, odd, "history", "--json"))) == 2


def test_the_line_for_cron_runs_as_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "a place"
    folder.mkdir()
    write_settings(folder)
    env = clean_environment(tmp_path)
    (line,) = [line for line in run_pollctl(folder, env, "crontab").stdout.splitlines() if line.startswith("* ")]
    command = line.removeprefix("* * * * * ")
    assert shlex.split(command)[1:] == ["--config", str(folder / "pollctl.toml"), "due", "--run"]
    done = subprocess.run(["/bin/sh", "-c", command], cwd="/", env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("file", "words"), [("crontab.example", "crontab --example"), ("schema.sql", "db schema")])
def test_generated_files_are_what_the_commands_print(tmp_path: Path, file: str, words: Any) -> None:
    done = run_pollctl(tmp_path, clean_environment(tmp_path), *words.split())
    assert done.stdout == (ROOT / file).read_text()
