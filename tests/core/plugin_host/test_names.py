"""Names of plugins: one form in settings, packages, commands and lock files, and nobody else is concerned by one that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugin_package import clean_environment, json_of, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import PLAIN

from pollctl.api.names import LONGEST, checked, fault
from pollctl.errors import UsageError
from pollctl.store.lock import lock_path

pytestmark = pytest.mark.slow

WRONG = {
    "slash": "a/b", "way out": "../x", "control characters": "a\x1b[31m", "line break": "a\nb", "long": "a" * 300, "empty": "", "capital": "Latency",
    "digit first": "1a", "underscore first": "_a", "dot": "pollctl.healthcheck", "no ASCII": "é", "blank": "a b", "just too long": "a" * (LONGEST + 1),
}  # fmt: skip
TOO_ODD_FOR_A_PACKAGE = ("empty", "line break")
QUICK = ("control characters", "long")
KINDS = [pytest.param(kind, marks=() if kind in QUICK else pytest.mark.slow, id=kind) for kind in WRONG]


@pytest.mark.parametrize("name", ["latency", "soc_sections", "soc-sections", "a", "a1", "a" * LONGEST])
def test_names_that_plugins_have(name: str) -> None:
    assert fault(name) == ""
    assert checked(name) == name.replace("-", "_")


@pytest.mark.parametrize("name", WRONG.values(), ids=WRONG)
def test_what_is_not_a_name_is_said_in_one_short_printable_line(name: str) -> None:
    problem = fault(name)
    assert "is not a valid name of a plugin" in problem
    assert problem.isprintable()
    assert len(problem) < 250
    with pytest.raises(UsageError, match="is not a valid name of a plugin"):
        lock_path(Path("pollctl.db"), name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_section_with_such_a_name_is_one_line_and_the_others_run(tmp_path: Path, kind: str) -> None:
    name = WRONG[kind]
    env = make_plugin_package(tmp_path, "counter")
    write_settings(tmp_path, f"[plugins.{json.dumps(name)}]", "[plugins.counter]")
    before = {path.name for path in tmp_path.iterdir()}
    done = spawn_pollctl(tmp_path, env, "due", "--run")
    assert done.returncode == 1, done
    (line,) = done.stderr.splitlines()
    assert "is not a valid name of a plugin" in line
    assert line.isprintable()
    ((plugin, outcome),) = [
        (run["plugin"], run["outcome"]) for run in json_of(spawn_pollctl(tmp_path, env, "history", "--json"))
    ]
    assert (plugin, outcome) == ("counter", "ok")
    left = {path.name for path in tmp_path.iterdir()} - before - {"pollctl.db-journal"}
    assert left == {"pollctl.db", "pollctl.db.lock", "pollctl.db.counter.lock"}
    for words, code in (
        (("check",), 2),
        (("due",), 0),
        (("status",), 0),
        (("metrics",), 0),
        (("report",), 0),
        (("why",), 2),
        (("plugins",), 0),
    ):
        done = spawn_pollctl(tmp_path, env, *words)
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.id not in TOO_ODD_FOR_A_PACKAGE])
def test_an_entry_point_with_such_a_name_is_listed_as_broken_and_runs_nowhere(tmp_path: Path, kind: str) -> None:
    name = WRONG[kind]
    env = make_plugin_package(tmp_path, "counter")
    env = make_plugin_package(tmp_path, "odd", PLAIN, env=env)
    (tmp_path / "site-odd/odd_package-1.2.3.dist-info/entry_points.txt").write_text(f"[pollctl]\n{name} = odd\n")
    write_settings(tmp_path, "[plugins.counter]")
    done = spawn_pollctl(tmp_path, env, "plugins")
    assert done.returncode == 0, done
    assert "is not a valid name of a plugin" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    for words in (("run", name), ("why", name), ("plan", name)):
        done = spawn_pollctl(tmp_path, env, *words)
        assert done.returncode == 2, done
        (line,) = done.stderr.splitlines()
        assert "is not a valid name of a plugin" in line
    done = spawn_pollctl(tmp_path, env, "--help")
    assert done.returncode == 0
    assert f"see `pollctl {name} --help`" not in done.stdout
    assert spawn_pollctl(tmp_path, env, "due", "--run").returncode == 0
    assert spawn_pollctl(tmp_path, env, "check").returncode == 1, "a plugin that cannot be used is found"


def test_the_status_of_a_row_that_an_older_pollctl_left_under_such_a_name(tmp_path: Path) -> None:
    import sqlite3

    write_settings(tmp_path, "[plugins.latency]")
    env = clean_environment(tmp_path)
    assert spawn_pollctl(tmp_path, env, "db", "migrate").returncode == 0
    with sqlite3.connect(tmp_path / "pollctl.db") as db:
        db.execute("INSERT INTO schedules (plugin, last_started_at) VALUES ('../x', '2026-03-02T09:00:00.000Z')")
    db.close()
    done = spawn_pollctl(tmp_path, env, "status")
    assert (done.returncode, "../x" in done.stdout) == (0, True)
