"""``run`` and ``plan``: outcomes, exit codes, reports, signals, and passes that do not end."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from plugin_package import Env, command, json_of, make_plugin_package, run_pollctl, spawn_pollctl, write_settings
from sample_plugin import ODD

from pollctl.store.database import open_to_write
from pollctl.store.lock import held, lock_path

pytestmark = pytest.mark.slow

KEYS = (
    "run_id", "plugin", "outcome", "started_at", "finished_at", "duration_ms", "batches", "decisions", "effects",
    "stats", "error",
)  # fmt: skip


def odd(tmp_path: Path, how: str = "well", *more: str, core: str = "") -> Env:
    env = make_plugin_package(tmp_path, "odd", ODD)
    write_settings(tmp_path, core, "[plugins.odd]", f'how = "{how}"', *more)
    open_to_write(tmp_path / "pollctl.db").close()
    return env


def history(tmp_path: Path, env: Env) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json_of(run_pollctl(tmp_path, env, "history", "--json"))
    return rows


@pytest.mark.parametrize(
    ("how", "outcome", "code"),
    [
        ("well", "ok", 0),
        ("tells", "ok", 0),
        ("half", "partial", 3),
        ("tells in vain", "partial", 3),
        ("is down", "failed", 1),
        ("raises", "failed", 1),
        ("decide raises", "failed", 1),
    ],
)
def test_the_exit_code_says_how_a_pass_ended(tmp_path: Path, how: str, outcome: str, code: int) -> None:
    env = odd(tmp_path, how)
    done = run_pollctl(tmp_path, env, "run", "odd", "--json")
    report = json_of(done)
    assert (report["outcome"], done.returncode) == (outcome, code)
    assert [run["outcome"] for run in history(tmp_path, env)] == [outcome]


def test_the_report_has_the_keys_that_were_promised(tmp_path: Path) -> None:
    report = json_of(run_pollctl(tmp_path, odd(tmp_path, "tells"), "run", "odd", "--json"))
    assert tuple(report) == KEYS
    assert report["effects"] == {"queued": 1, "delivered": 1, "failed": 0}
    assert (report["batches"], report["decisions"], report["stats"], report["error"]) == (1, 1, {"seen": 1}, None)
    assert report["started_at"].endswith("Z")
    assert len(report["started_at"]) == len("2026-03-08T06:59:00.000Z")
    started, finished = (datetime.fromisoformat(report[key]) for key in ("started_at", "finished_at"))
    assert started <= finished


def test_a_failed_pass_names_type_and_message_of_its_error(tmp_path: Path) -> None:
    error = json_of(run_pollctl(tmp_path, odd(tmp_path, "raises"), "run", "odd", "--json"))["error"]
    assert error["type"] == "PluginError"
    assert "plugin 'odd' (odd-package 1.2.3): fetch raised RuntimeError: boom" in error["message"]


def test_by_hand_a_pass_tells_what_it_did(tmp_path: Path) -> None:
    done = run_pollctl(tmp_path, odd(tmp_path, "tells"), "run", "odd")
    assert done.stdout.startswith("odd: ok in ")
    assert "1 batch, 1 decision, 1 effect queued, 1 delivered (seen 1)" in done.stdout
    assert done.stderr == ""


def test_started_by_due_a_good_pass_says_nothing(tmp_path: Path) -> None:
    done = run_pollctl(tmp_path, odd(tmp_path), "run", "odd", "--trigger", "due")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_text_of_the_upstream_cannot_steer_the_terminal(tmp_path: Path) -> None:
    env = odd(tmp_path, "is down")
    done = run_pollctl(tmp_path, env, "run", "odd")
    shown = (
        done.stdout
        + done.stderr
        + "".join(run_pollctl(tmp_path, env, *words).stdout for words in (["status"], ["history"]))
    )
    assert "no answer" in shown
    assert "\x1b" not in shown


def test_what_a_plugin_prints_does_not_get_into_the_json(tmp_path: Path) -> None:
    done = run_pollctl(tmp_path, odd(tmp_path, "prints"), "run", "odd", "--json")
    assert json_of(done)["outcome"] == "ok"
    assert "stray words" in done.stderr
    assert "words of a child" in done.stderr


@pytest.mark.parametrize("words", [["run", "odd", "--dry-run"], ["plan", "odd"]], ids=" ".join)
def test_a_plan_lists_decisions_with_their_type_and_writes_nothing(tmp_path: Path, words: Any) -> None:
    env = odd(tmp_path, "tells")
    (tmp_path / "pollctl.db").unlink()
    done = run_pollctl(tmp_path, env, *words, "--json")
    report = json_of(done)
    assert done.returncode == 0
    assert tuple(report) == KEYS
    assert report["decisions"] == [{"type": "Seen", "number": 1, "reason": "by rule one"}]
    assert not (tmp_path / "pollctl.db").exists()
    assert run_pollctl(tmp_path, env, *words).stdout.splitlines()[2:] == ["Seen (1)", "  number 1: by rule one"]


def test_a_plan_leaves_the_database_byte_for_byte_alone(tmp_path: Path) -> None:
    env = odd(tmp_path, "tells")
    run_pollctl(tmp_path, env, "run", "odd")
    before = (tmp_path / "pollctl.db").read_bytes()
    assert run_pollctl(tmp_path, env, "plan", "odd").returncode == 0
    assert (tmp_path / "pollctl.db").read_bytes() == before


@pytest.mark.parametrize("words", [["run"], ["run", "--dry-run"], ["plan"]], ids=" ".join)
def test_several_plugins_give_an_array_and_one_exit_code(tmp_path: Path, words: Any) -> None:
    env = make_plugin_package(tmp_path, "plain", env=odd(tmp_path, "half"))
    done = run_pollctl(tmp_path, env, *words, "odd", "plain", "--json")
    reports = json_of(done)
    assert {report["plugin"]: report["outcome"] for report in reports} == {"odd": "partial", "plain": "ok"}
    assert all(tuple(report) == KEYS for report in reports)
    assert done.returncode == 3


def test_one_that_is_killed_takes_no_other_along(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain", env=odd(tmp_path, "dies"))
    done = run_pollctl(tmp_path, env, "run", "odd", "plain")
    assert done.returncode == 1
    assert "plain: ok" in done.stdout
    assert "odd: ended by SIGKILL" in done.stderr
    assert {run["plugin"]: run["outcome"] for run in history(tmp_path, env)} == {"plain": "ok", "odd": "crashed"}


def test_a_pass_that_hangs_is_ended_after_deadline_and_grace_with_one_line(tmp_path: Path) -> None:
    env = odd(tmp_path, "hangs", core='grace = "500ms"')
    began = time.monotonic()
    done = spawn_pollctl(tmp_path, env, "run", "odd", "--deadline", "1")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["pollctl: odd: did not end within its deadline of 1s and 500ms grace"]
    assert 1.5 <= time.monotonic() - began < 6
    assert spawn_pollctl(tmp_path, env, "plan", "odd", "--deadline", "1").returncode == 1


def test_a_pass_that_comes_to_its_deadline_is_partial(tmp_path: Path) -> None:
    env = odd(tmp_path, "waits")
    report = json_of(run_pollctl(tmp_path, env, "run", "odd", "--json", "--deadline", "300ms"))
    assert report["outcome"] == "partial"
    assert report["error"]["message"] == "the deadline of 300ms came before the end"


def test_a_plugin_that_hangs_while_it_is_imported_is_ended(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "sleepy", "import time; time.sleep(60)")
    write_settings(tmp_path, 'deadline = "500ms"', 'grace = "500ms"', "[plugins.sleepy]")
    done = spawn_pollctl(tmp_path, env, "run", "sleepy", timeout=20)
    assert done.returncode == 1
    assert done.stderr == "pollctl: sleepy: could not be imported in time\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_pass_at_its_next_safe_point(tmp_path: Path, number: int, code: int) -> None:
    env = odd(tmp_path, "waits")
    process = started(tmp_path, env, "run", "odd", "--json")
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=10)
    assert process.returncode == code
    assert json.loads(stdout)["outcome"] == "interrupted"
    assert [run["outcome"] for run in history(tmp_path, env)] == ["interrupted"]


def test_a_second_interrupt_ends_at_once_and_the_next_pass_tidies_up(tmp_path: Path) -> None:
    env = odd(tmp_path, "hangs")
    process = started(tmp_path, env, "run", "odd", flag="pollctl.db")
    wait_for(lambda: any(run["outcome"] == "running" for run in history(tmp_path, env)))
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode == -signal.SIGINT
    write_settings(tmp_path, "[plugins.odd]")
    run_pollctl(tmp_path, env, "run", "odd")
    assert [run["outcome"] for run in history(tmp_path, env)] == ["ok", "crashed"]


def test_while_another_pass_is_at_work_the_exit_code_is_75_and_it_is_named(tmp_path: Path) -> None:
    env = odd(tmp_path)
    with held(lock_path(tmp_path / "pollctl.db", "odd"), run_id="the-other"):
        done = run_pollctl(tmp_path, env, "run", "odd")
        several = run_pollctl(tmp_path, make_plugin_package(tmp_path, "plain", env=env), "run", "odd", "plain")
    assert (done.returncode, done.stdout) == (75, "")
    assert f"pid {os.getpid()}, run the-other, since 2" in done.stderr
    assert several.returncode == 75


def test_waiting_for_the_other_pass_ends_when_it_ends_or_by_a_signal(tmp_path: Path) -> None:
    env = odd(tmp_path)
    with held(lock_path(tmp_path / "pollctl.db", "odd"), run_id="the-other"):
        process = subprocess.Popen(command("run", "odd", "--wait", "60"), cwd=tmp_path, env=env)
        other = subprocess.Popen(command("run", "odd", "--wait", "60"), cwd=tmp_path, env=env)
        time.sleep(1.5)
        other.send_signal(signal.SIGTERM)
        assert other.wait(timeout=5) == 143
        assert process.poll() is None
    assert process.wait(timeout=10) == 0


def test_a_plugin_that_is_not_enabled_runs_by_hand(tmp_path: Path) -> None:
    assert run_pollctl(tmp_path, odd(tmp_path, "well", "enabled = false"), "run", "odd").returncode == 0


def test_naming_a_plugin_twice_runs_it_once(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "sea_level")
    assert json_of(run_pollctl(tmp_path, env, "run", "sea-level", "sea_level", "--json"))["outcome"] == "ok"


def test_a_plugin_that_cannot_be_imported_fails_its_pass_visibly(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "broken", "import no_such_module")
    done = run_pollctl(tmp_path, env, "run", "broken", "--json")
    assert done.returncode == 1
    assert "broken-package 1.2.3" in json_of(done)["error"]["message"]
    assert [run["outcome"] for run in history(tmp_path, env)] == ["failed"]


def test_a_database_in_a_folder_that_is_not_there_is_a_message(tmp_path: Path) -> None:
    env = odd(tmp_path)
    (tmp_path / "pollctl.toml").write_text('[pollctl]\ndatabase = "none/pollctl.db"\n[plugins.odd]\n')
    done = run_pollctl(tmp_path, env, "run", "odd")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none" in done.stderr
    assert "Traceback" not in done.stderr


def started(tmp_path: Path, env: Env, *words: str, flag: str = "waiting") -> subprocess.Popen[str]:
    """A pollctl that has come as far as leaving the file *flag*."""
    process = subprocess.Popen(
        command(*words), cwd=tmp_path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for((tmp_path / flag).exists)
    return process


def wait_for(is_there: Callable[[], bool], seconds: float = 10) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < give_up_at, "it never came"
        time.sleep(0.05)
