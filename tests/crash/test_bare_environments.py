"""Bare environments: the work is done or the message is clear, the exit code is right, and nobody sees a traceback.

More of the same stands beside the command line it is about: tests/core/cli/test_frame.py (closed and full streams, bare
locales, broken pipes) and tests/core/supervision/test_supervisor.py (sixteen descriptors for five passes).
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from plugin_package import Done, Env, command, json_of, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import PLAIN

pytestmark = pytest.mark.slow

SPEAKING = (
    PLAIN.replace("settings=Settings, batch", 'effects={"say": "keyed"}, settings=Settings, batch').replace(
        "run.count(seen=len(decisions))", 'run.effect("say", f"{run.id} {decisions[0].number}", {})'
    )
    + "\n@hookimpl\ndef pollctl_deliver(effect):\n    return None\n"
)
"""A plugin that goes all the way to a delivered effect."""


def bound(number: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def through_shell(words: str) -> list[str]:
    """The pass with redirections of the shell."""
    return ["sh", "-c", " ".join(command("run", "plain")) + " " + words]


SURROUNDINGS: dict[str, tuple[Env, dict[str, Any]]] = {
    "as usual": ({}, {}),
    "no variable but where the plugin is": ({"HOME": "", "PATH": "", "LANG": ""}, {}),
    "no home": ({"HOME": ""}, {}),
    "a home that does not exist": ({"HOME": "/nonexistent"}, {}),
    "LANG=C": ({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {}),
    "a locale that does not exist": ({"LANG": "xx_XX.UTF-8", "LC_ALL": "xx_XX.UTF-8"}, {}),
    "an encoding that is none": ({"PYTHONIOENCODING": "ascii:strict"}, {}),
    "a zone that is none": ({"TZ": "Mars/Olympus"}, {}),
    "no temporary folder": ({"TMPDIR": "/nonexistent", "TEMP": "/nonexistent", "TMP": "/nonexistent"}, {}),
    "a terminal that is none": ({"TERM": "none", "COLUMNS": "-1", "LINES": "x"}, {}),
    "optimised, without byte code": ({"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"}, {}),
    "warnings are errors": ({"PYTHONWARNINGS": "error::UserWarning"}, {}),
    "umask 000": ({}, {"umask": 0}),
    "umask 777": ({}, {"umask": 0o777}),
    "a session of its own": ({}, {"start_new_session": True}),
    "twelve descriptors": ({}, {"preexec_fn": bound(12)}),
    "sixteen descriptors": ({}, {"preexec_fn": bound(16)}),
    "little stack": ({}, {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_STACK, (2**20, 2**20))}),
    "no core dumps": ({}, {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))}),
    "lowest priority": ({}, {"preexec_fn": lambda: os.nice(19)}),
}
SELDOM = (
    "a home that does not exist", "a zone that is none", "a terminal that is none", "optimised, without byte code",
    "warnings are errors", "a session of its own", "sixteen descriptors", "no core dumps", "lowest priority", "little stack",
)  # fmt: skip
"""Those that only ``POLLCTL_CAMPAIGN=full`` goes through."""
if os.environ.get("POLLCTL_CAMPAIGN") != "full":
    SURROUNDINGS = {name: one for name, one in SURROUNDINGS.items() if name not in SELDOM}
STREAMS = {
    "stdin closed": ("<&-", 0),
    "stdout closed": (">&-", 0),
    "stderr closed": ("2>&-", 0),
    "all closed": ("<&- >&- 2>&-", 0),
    "stdout full": (">/dev/full", 1),
    "stderr full": ("2>/dev/full", 0),
    "both full": (">/dev/full 2>/dev/full", 1),
    "a pipe that nobody reads": ("| true", 0),
}


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return make_plugin_package(tmp_path, "plain", SPEAKING)


def assert_done(folder: Path) -> None:
    """One pass has been made, all of it, and the files are for their owner alone."""
    with closing(sqlite3.connect(folder / "pollctl.db")) as db:
        assert db.execute("SELECT outcome, batches, effects FROM runs").fetchall() == [("ok", 2, 2)]
        assert db.execute("SELECT status FROM outbox").fetchall() == [("delivered",)] * 2
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for path in folder.glob("pollctl.db*"):
        assert path.stat().st_mode & 0o777 == 0o600, path


def assert_quiet(done: Done | subprocess.CompletedProcess[bytes]) -> None:
    for said in (done.stdout, done.stderr):
        text = said.decode(errors="replace") if isinstance(said, bytes) else said or ""
        assert "Traceback" not in text
        assert "Exception ignored" not in text


@pytest.mark.parametrize(("more", "options"), SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_whatever_surrounds_a_pass_its_work_is_done(
    tmp_path: Path, env: Env, more: Env, options: dict[str, Any]
) -> None:
    write_settings(tmp_path, "[plugins.plain]")
    kept = {name: value for name, value in (env | more).items() if value}
    done = spawn_pollctl(tmp_path, kept, "run", "plain", **options)
    assert done.returncode == 0, done
    assert_quiet(done)
    assert_done(tmp_path)


@pytest.mark.parametrize(("words", "code"), STREAMS.values(), ids=STREAMS)
def test_whatever_the_streams_are_the_work_is_done(tmp_path: Path, env: Env, words: str, code: int) -> None:
    write_settings(tmp_path, "[plugins.plain]")
    done = subprocess.run(through_shell(words), cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == code, done
    assert_quiet(done)
    assert_done(tmp_path)


@pytest.mark.parametrize("words", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_the_supervisor_works_without_streams_too(tmp_path: Path, env: Env, words: str) -> None:
    write_settings(tmp_path, "[plugins.plain]")
    line = " ".join(command("due", "--run")) + " " + words
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=env, timeout=60, check=False)
    assert done.returncode == 0
    assert_done(tmp_path)


def test_with_too_few_descriptors_the_message_is_clear_and_the_next_pass_converges(tmp_path: Path, env: Env) -> None:
    write_settings(tmp_path, "[plugins.plain]")
    for number in range(4, 12):
        done = spawn_pollctl(tmp_path, env, "run", "plain", preexec_fn=bound(number))
        assert_quiet_or_before_us(done, number)
        if done.returncode == 0:
            break
    with closing(sqlite3.connect(tmp_path / "pollctl.db")) as db:
        assert db.execute("SELECT count(*) FROM runs WHERE outcome = 'ok'").fetchone() == (1,)
    print(f"figure: a pass needs {number} file descriptors")


def assert_quiet_or_before_us(done: Done, number: int) -> None:
    """Where Python itself cannot start, nothing of ours can say so."""
    if "import site" in done.stderr or "Fatal Python error" in done.stderr or "most recent call last" in done.stderr:
        assert number < 7, done.stderr
        return
    assert done.returncode in (0, 1), done
    assert done.returncode == 0 or done.stderr.strip(), done


HUMBLE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Before a command: root may write everywhere, unless it gives that up."""


@pytest.mark.skipif(bool(HUMBLE) and not shutil.which("setpriv"), reason="needs setpriv of util-linux, as root")
@pytest.mark.parametrize(
    "words", [("run", "plain"), ("due", "--run"), ("init",), ("db", "backup", "copy.db")], ids=" ".join
)
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, env: Env, words: tuple[str, ...]) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    if words[0] != "init":
        write_settings(folder, "[plugins.plain]")
    before = sorted(path.name for path in folder.iterdir())
    folder.chmod(0o555)
    done = subprocess.run(
        [*HUMBLE, *command(*words)], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (1, 2), done
    assert "Permission denied" in done.stderr or "no database yet" in done.stderr, done.stderr
    assert_quiet(done)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.skipif(bool(HUMBLE) and not shutil.which("setpriv"), reason="needs setpriv of util-linux, as root")
def test_a_folder_that_becomes_read_only_is_named_and_the_next_pass_goes_on(tmp_path: Path, env: Env) -> None:
    write_settings(tmp_path, "[plugins.plain]")
    assert spawn_pollctl(tmp_path, env, "init").returncode in (0, 1)
    assert spawn_pollctl(tmp_path, env, "db", "migrate").returncode == 0
    tmp_path.chmod(0o555)
    try:
        for words in (("run", "plain"), ("due", "--run")):
            done = subprocess.run(
                [*HUMBLE, *command(*words)],
                cwd=tmp_path,
                env=env,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 1, done
            assert str(tmp_path) in done.stderr
            assert_quiet(done)
    finally:
        tmp_path.chmod(0o755)
    assert spawn_pollctl(tmp_path, env, "run", "plain").returncode == 0
    assert_done(tmp_path)


GONE = 'mkdir gone && cd gone && rmdir "$PWD" && exec '


IN_NO_FOLDER = [("run", "plain"), ("check",), ("status",), ("due",), ("init",), ("plan", "plain")]


@pytest.mark.parametrize(
    ("words", "is_named"),
    [(("due", "--run"), True), *((words, is_named) for words in IN_NO_FOLDER for is_named in (True, False))],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "settings named" if value else "no settings",
)
def test_a_folder_that_is_gone_is_no_traceback(
    tmp_path: Path, env: Env, words: tuple[str, ...], is_named: bool
) -> None:
    write_settings(tmp_path, "[plugins.plain]")
    option = ("--config", str(tmp_path / "pollctl.toml")) if is_named else ()
    line = GONE + " ".join(command(*option, *words))
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert_quiet(done)
    if is_named and words[0] != "init":
        assert done.returncode == 0, done
    if done.returncode:
        assert done.stderr.startswith("pollctl: ")


def test_a_database_in_a_missing_folder_is_named_with_the_remedy(tmp_path: Path, env: Env) -> None:
    write_settings(tmp_path)
    (tmp_path / "pollctl.toml").write_text('[pollctl]\ndatabase = "no/such/pollctl.db"\n[plugins.plain]\n')
    for words in (("run", "plain"), ("due", "--run")):
        done = spawn_pollctl(tmp_path, env, *words)
        assert done.returncode == 1
        assert "no/such" in done.stderr
        assert_quiet(done)


def test_init_makes_files_for_their_owner_alone_whatever_the_umask(tmp_path: Path, env: Env) -> None:
    assert spawn_pollctl(tmp_path, env, "init", "here", umask=0).returncode == 0
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "here").iterdir()}
    assert set(modes.values()) == {"0o600"}, modes
    assert "pollctl.toml" in modes


def test_json_on_a_bare_locale_is_still_json(tmp_path: Path, env: Env) -> None:
    write_settings(tmp_path, "[plugins.plain]", 'word = "søster\\u0007"')
    bare = env | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    plan = json_of(spawn_pollctl(tmp_path, bare, "plan", "plain", "--json"))
    assert plan["decisions"][0]["reason"] == "søster\u0007 1"


def test_there_are_enough_of_them() -> None:
    print(f"figure: bare environments: {len(SURROUNDINGS) + len(STREAMS)} with a whole pass in each")
