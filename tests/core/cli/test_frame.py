"""The command line as a whole: help, names, usage, errors, streams."""

import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest
from plugin_package import (
    Env,
    clean_environment,
    command,
    json_of,
    make_plugin_package,
    run_pollctl,
    spawn_pollctl,
    write_settings,
)
from sample_plugin import PLAIN

from pollctl.cli.table import COMMANDS

pytestmark = pytest.mark.slow

HEAVY = {"requests", "sqlite_utils", "croniter", "rich", "apprise", "zeep", "msgspec", "pluggy", "prometheus_client"}


def test_help_lists_every_command_and_the_names_of_plugins(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "sea_level")
    done = run_pollctl(tmp_path, env, "--help")
    assert done.returncode == 0
    listed = re.findall(r"^  ([a-z-]+)  ", done.stdout, re.MULTILINE)
    assert set(listed) >= {*COMMANDS, "latency", "sea-level"}


def test_help_imports_neither_plugins_nor_heavy_libraries(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "tripwire", "raise SystemExit('imported')")
    code = "import sys; from pollctl.cli import start; start(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert imported.isdisjoint({*HEAVY, "tripwire", "pollctl_latency"})
    assert "tripwire" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_where_the_table_says(name: str) -> None:
    module = f"pollctl.cli.{COMMANDS[name].module}"
    if find_spec(module) is None:
        pytest.skip(f"{module} is not there yet")
    found = getattr(import_module(module), name.replace("-", "_"))
    assert isinstance(found, click.Command)
    assert found.get_short_help_str(limit=1000).rstrip(".") in (found.help or "")


def test_the_version_is_told(tmp_path: Path) -> None:
    from pollctl import __version__

    assert run_pollctl(tmp_path, clean_environment(tmp_path), "--version").stdout == f"pollctl {__version__}\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["stauts"], "did you mean 'status'?"),
        (["latensy", "jobs"], "did you mean 'latency'?"),
        (["run", "latensy"], "did you mean 'latency'?"),
        (["why", "latensy"], "did you mean 'latency'?"),
        (["xyzzy"], "`pollctl --help` lists them"),
        (["due", "--run", "--next", "3"], "cannot be combined"),
        (["due", "--at", "yesterday"], "write 2026-03-08T06:59:00Z"),
        (["due", "--at", "2026-03-08T06:59:00"], "moment with a zone"),
        (["due", "--at", "9999-12-31T23:59:59Z"], "not between 2020 and 2200"),
        (["due", "--at", "0001-01-01T00:00:00Z"], "not between 2020 and 2200"),
        (["run", "latency", "--wait", "soon"], "write seconds"),
        (["run"], "PLUGIN"),
        (["outbox", "retry"], "--dead"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_with_a_remedy(tmp_path: Path, words: Any, hint: str) -> None:
    done = run_pollctl(tmp_path, clean_environment(tmp_path), *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("spelling", ["sea_level", "sea-level"])
def test_plugins_are_called_with_hyphen_or_underscore_alike(tmp_path: Path, spelling: str) -> None:
    env = make_plugin_package(tmp_path, "sea_level")
    assert json_of(run_pollctl(tmp_path, env, "run", spelling, "--json"))["plugin"] == "sea_level"
    assert run_pollctl(tmp_path, env, spelling, "--help").returncode == 0


def test_a_command_of_a_plugin_gets_its_settings_and_the_database(tmp_path: Path) -> None:
    source = """
import click, msgspec
from pollctl import Poller, hookimpl
class Settings(msgspec.Struct, frozen=True):
    word: str = "hello"
class Said(msgspec.Struct, frozen=True):
    reason: str
@hookimpl
def pollctl_poller(): return Poller(contract=1, summary="Talks.", settings=Settings, batch=int, decision=Said)
@hookimpl
def pollctl_fetch(run): yield 1
@hookimpl
def pollctl_decide(batch): return []
@hookimpl
def pollctl_apply(db): pass
@hookimpl
def pollctl_commands(group):
    @group.command("say")
    @click.option("--json", "as_json", is_flag=True)
    @click.pass_obj
    def say(context, as_json):
        "Say the word."
        with context.reading() as db:
            runs = db.execute("SELECT count(*) FROM runs").fetchone()[0]
        context.show([{"word": context.settings.word, "runs": runs}], as_json=as_json)
"""
    env = make_plugin_package(tmp_path, "talk", source)
    write_settings(tmp_path, "[plugins.talk]", 'word = "ahoy"')
    assert json_of(run_pollctl(tmp_path, env, "talk", "say", "--json")) == [{"word": "ahoy", "runs": 0}]
    assert "Say the word." in run_pollctl(tmp_path, env, "talk", "--help").stdout
    write_settings(tmp_path, "[plugins.talk]", "wrod = 1")
    assert run_pollctl(tmp_path, env, "talk", "say").returncode == 2
    assert run_pollctl(tmp_path, env, "talk", "say", "--help").returncode == 0


def test_a_plugin_that_cannot_be_imported_says_so_when_its_commands_are_called(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "broken", "import no_such_module")
    done = run_pollctl(tmp_path, env, "broken", "--help")
    assert done.returncode == 1
    assert "plugin 'broken' (broken-package 1.2.3)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plugin_with_the_name_of_a_command_is_refused_and_the_command_stays(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "status")
    assert run_pollctl(tmp_path, env, "status", "--json").returncode == 0
    rows = json_of(run_pollctl(tmp_path, env, "plugins", "--json"))
    assert next(row["error"] for row in rows if row["plugin"] == "status").endswith("is taken by a command of pollctl")


def test_a_plugin_that_takes_the_name_of_ours_is_told_about_and_ours_stays(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "latency")
    rows = json_of(run_pollctl(tmp_path, env, "plugins", "--json"))
    found = {row["distribution"]: row for row in rows if row["plugin"] == "latency"}
    assert found["pollctl"]["state"] == "enabled"
    assert "the name 'latency' is taken" in found["latency-package"]["error"]
    checked = run_pollctl(tmp_path, env, "check")
    assert checked.returncode == 1
    assert "latency-package 1.2.3" in checked.stdout
    assert run_pollctl(tmp_path, env, "plan", "latency").returncode == 0


def test_each_problem_of_the_settings_is_a_line_and_nothing_is_started(tmp_path: Path) -> None:
    write_settings(tmp_path, "dedline = '5s'", "grace = 7")
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "run", "latency")
    assert done.returncode == 2
    assert [line.startswith("pollctl: pollctl.toml: pollctl.") for line in done.stderr.splitlines()] == [True, True]
    assert not (tmp_path / "pollctl.db").exists()


def test_debug_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    quiet = run_pollctl(tmp_path, clean_environment(tmp_path), "--config", "none.toml", "status")
    loud = run_pollctl(tmp_path, clean_environment(tmp_path), "--debug", "--config", "none.toml", "status")
    assert quiet.returncode == loud.returncode == 2
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr
    assert "none.toml: no such file; it was named by --config" in quiet.stderr


def test_the_settings_file_may_be_named_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    path = write_settings(tmp_path / "deep", "[plugins.latency]")
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "--config", str(path), "db", "migrate")
    assert done.returncode == 0
    assert (tmp_path / "deep" / "pollctl.db").exists()


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "plugins", "--json", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_leaves_a_plugins_command_is_no_error_either(tmp_path: Path) -> None:
    source = (
        PLAIN
        + """
@hookimpl
def pollctl_commands(group):
    import click
    @group.command()
    def talk():
        for _ in range(10_000):
            click.echo("words " * 10)
"""
    )
    env = make_plugin_package(tmp_path, "talker", source)
    write_settings(tmp_path, "[plugins.talker]")
    with subprocess.Popen(
        command("talker", "talk"), cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_the_pass_counts_and_not_the_reader_of_its_report(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    run_pollctl(tmp_path, env, "db", "migrate")
    reader, writer = os.pipe()
    os.close(reader)
    done = spawn_pollctl(tmp_path, env, "run", "plain", "--json", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
    assert json_of(run_pollctl(tmp_path, env, "history", "--json"))[0]["outcome"] == "ok"


@pytest.mark.parametrize("words", [["db", "schema"], ["plugins", "--json"], ["--help"]], ids=" ".join)
def test_a_full_disk_under_stdout_is_a_message_and_no_traceback(tmp_path: Path, words: Any) -> None:
    with Path("/dev/full").open("w") as full:
        done = spawn_pollctl(tmp_path, clean_environment(tmp_path), *words, stdout=full)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_byte_code_that_a_full_disk_cut_off_is_named(tmp_path: Path) -> None:
    """Python writes half a file in the place of a whole one, and from then on reads it."""
    env = clean_environment(tmp_path) | {"PYTHONPYCACHEPREFIX": str(tmp_path / "code")}
    spawn_pollctl(tmp_path, env, "history")
    for code in (tmp_path / "code").glob("**/pollctl/cli/history.*.pyc"):
        os.truncate(code, 1000)
    done = spawn_pollctl(tmp_path, env, "history")
    *_, line = done.stderr.splitlines()
    assert done.returncode == 1
    assert "__pycache__" in line
    assert "marshal data too short" in line


def test_with_all_streams_closed_the_work_is_done_and_the_database_is_sound(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    words = " ".join(command("run", "plain"))
    done = subprocess.run(["sh", "-c", f"{words} <&- >&- 2>&-"], cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0
    assert run_pollctl(tmp_path, env, "db", "check").returncode == 0
    assert json_of(run_pollctl(tmp_path, env, "history", "--json"))[0]["outcome"] == "ok"


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_bare_locale_escapes_what_it_cannot_show(tmp_path: Path, locale: Env) -> None:
    env = make_plugin_package(tmp_path, "plain") | locale
    write_settings(tmp_path, "[plugins.plain]", 'word = "søster"')
    done = spawn_pollctl(tmp_path, env, "plan", "plain")
    assert (done.returncode, done.stderr) == (0, "")
    assert "s\\xf8ster 1" in done.stdout or "søster 1" in done.stdout


def test_an_empty_environment_is_enough_where_settings_name_the_database(tmp_path: Path) -> None:
    write_settings(tmp_path, "[plugins.latency]")
    done = spawn_pollctl(tmp_path, {}, "due")
    assert (done.returncode, done.stdout, done.stderr) == (0, "latency\n", "")


def test_without_a_terminal_there_is_no_colour(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain") | {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    run_pollctl(tmp_path, env, "run", "plain")
    assert "\x1b" not in run_pollctl(tmp_path, env, "history").stdout


def test_completion_knows_commands_and_plugins(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "sea_level")
    for shell in ("bash", "zsh", "fish"):
        assert "_POLLCTL_COMPLETE" in run_pollctl(tmp_path, env, "completion", shell).stdout
    asking = env | {"_POLLCTL_COMPLETE": "bash_complete", "COMP_WORDS": "pollctl run sea", "COMP_CWORD": "2"}
    assert run_pollctl(tmp_path, asking).stdout == "plain,sea-level\n"


@pytest.mark.parametrize(("env", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals_and_respects_no_color(tmp_path: Path, env: Env, is_coloured: bool) -> None:
    env = make_plugin_package(tmp_path, "plain") | {"TERM": "xterm", "COLUMNS": "120"} | env
    run_pollctl(tmp_path, env, "run", "plain")
    master, slave = os.openpty()
    done = spawn_pollctl(tmp_path, env, "history", stdout=slave)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert done.returncode == 0
    assert "plain" in shown
    assert ("\x1b[32m" in shown) == is_coloured


def test_a_closed_stderr_does_not_send_errors_to_stdout(tmp_path: Path) -> None:
    words = " ".join(command("nonsense"))
    env = clean_environment(tmp_path)
    done = subprocess.run(
        ["sh", "-c", f"{words} 2>&-"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
