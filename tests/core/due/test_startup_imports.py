"""What starting pollctl may import: cron starts it 1,440 times a day (core §3; measured by benchmarks/startup.py).

Held as lists of modules, because times depend on the machine. Whoever needs one more here weighs it against the budget.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from plugin_package import make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import PLAIN

pytestmark = pytest.mark.slow

SCRIPT = Path(sys.executable).with_name("pollctl")
HEAVY = {
    "apprise",
    "asyncio",
    "boto3",
    "click",
    "croniter",
    "dateutil",
    "datetime",
    "email",
    "http",
    "importlib.metadata",
    "importlib.resources",
    "json",
    "logging",
    "lxml",
    "msgspec",
    "pathlib",
    "platformdirs",
    "pluggy",
    "prometheus_client",
    "re",
    "requests",
    "rich",
    "socket",
    "sqlite3",
    "sqlite_utils",
    "ssl",
    "subprocess",
    "tempfile",
    "tomllib",
    "typing",
    "unittest",
    "urllib3",
    "zeep",
    "zoneinfo",
}
"""What costs a millisecond or more, of the standard library and of what pollctl depends on."""


@pytest.fixture
def idle_place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    env = make_plugin_package(tmp_path, "counter")
    write_settings(tmp_path, '[plugins.counter]\nschedule = "0 0 1 1 *"')
    spawn_pollctl(tmp_path, env, "due", "--run")
    with closing(sqlite3.connect(tmp_path / "pollctl.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=TRUNCATE")  # in WAL there is no stamp
        db.execute("DELETE FROM next_due")
    done = spawn_pollctl(tmp_path, env, "due", "--run")
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path, env


def imported(place: tuple[Path, dict[str, str]], *arguments: str) -> set[str]:
    """The modules that a command imports beyond those of bare Python."""
    return _modules(place, str(SCRIPT), *arguments) - _modules(place, "-c", "pass")


def _modules(place: tuple[Path, dict[str, str]], *arguments: str) -> set[str]:
    folder, env = place
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("has_stamp", [True, False], ids=["with a stamp", "without"])
def test_the_idle_case_imports_little_and_sqlites_module_only_without_a_stamp(
    idle_place: tuple[Path, dict[str, str]], *, has_stamp: bool
) -> None:
    if not has_stamp:
        (idle_place[0] / "pollctl.db.idle").unlink()
    found = imported(idle_place, "due", "--run")
    assert ("_sqlite3" in found) is not has_stamp
    assert not found & HEAVY
    assert {name for name in found if name.startswith("pollctl")} == {
        "pollctl",
        "pollctl.__main__",
        "pollctl.due",
        "pollctl.due.fast_path",
        "pollctl.due.stamp",
    }
    assert len(found) <= (12 if has_stamp else 17), sorted(found)


def test_plugins_of_one_file_cost_the_idle_case_nothing(idle_place: tuple[Path, dict[str, str]]) -> None:
    folder, env = idle_place
    before = imported(idle_place, "due", "--run")
    (folder / "plugins").mkdir(mode=0o755)
    (folder / "plugins/lonely.py").write_text(PLAIN)
    sections = ('[plugins.counter]\nschedule = "0 0 1 1 *"', '[plugins.lonely]\nschedule = "0 0 1 1 *"')
    write_settings(folder, 'plugins_dir = "plugins"', *sections)
    for _ in range(2):
        done = spawn_pollctl(folder, env, "due", "--run")
        assert (done.returncode, done.stderr) == (0, "")
    assert imported(idle_place, "due", "--run") == before
    assert "pollctl.plugin_host.plugin_files" not in imported(idle_place, "due")


def test_reckoning_what_is_due_imports_no_plugin_and_nothing_that_writes(
    idle_place: tuple[Path, dict[str, str]],
) -> None:
    found = imported(idle_place, "due")
    assert {"click", "croniter", "sqlite3", "msgspec", "tomllib"} <= found
    assert not found & {
        "counter",
        "pluggy",
        "sqlite_utils",
        "importlib.metadata",
        "logging",
        "asyncio",
        "requests",
        "urllib3",
        "ssl",
        "rich",
        "apprise",
        "zeep",
        "pollctl.store",
        "pollctl.engine",
        "pollctl.plugins",
        "pollctl.supervisor",
        "subprocess",  # croniter would start a process when it is imported
    }


def test_help_imports_no_command_and_no_plugin(idle_place: tuple[Path, dict[str, str]]) -> None:
    found = imported(idle_place, "--help")
    assert not found & {
        "counter",
        "croniter",
        "msgspec",
        "pluggy",
        "sqlite3",
        "sqlite_utils",
        "rich",
        "requests",
        "pollctl.config",
        "pollctl.plugins",
        "pollctl.store",
        "pollctl.cli.passes",
        "pollctl.cli.due",
    }


def test_a_pass_by_cron_does_not_load_what_only_notifications_need(
    idle_place: tuple[Path, dict[str, str]],
) -> None:
    found = imported(idle_place, "run", "counter")
    assert not found & {"apprise", "zeep", "boto3", "lxml", "prometheus_client"}


def test_a_pass_loads_nothing_of_the_report(idle_place: tuple[Path, dict[str, str]]) -> None:
    found = imported(idle_place, "run", "counter")
    assert not found & {
        "jinja2",
        "markupsafe",
        "pollctl.api.report",
        "pollctl.plugin_host.report_values",
        "pollctl.pages",
    }
