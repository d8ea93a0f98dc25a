"""What was recorded decides the same again, or says where not."""

from pathlib import Path

import pytest
from plugin_package import Env, clean_environment, json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import ODD


@pytest.fixture
def recorded(tmp_path: Path) -> Env:
    """The plugin ODD with one pass behind it that was recorded."""
    env = make_plugin_package(tmp_path, "odd", ODD)
    write_settings(tmp_path, "[plugins.odd]")
    assert run_pollctl(tmp_path, env, "run", "odd").returncode == 0
    return env


def replayed(tmp_path: Path, env: Env, *words: str) -> tuple[list[tuple[int, str]], int]:
    done = run_pollctl(tmp_path, env, "replay", *words, "--json")
    return [(row["seq"], row["verdict"]) for row in json_of(done)], done.returncode


def source_of(tmp_path: Path) -> Path:
    return tmp_path / "site-odd" / "odd.py"


def test_the_same_code_decides_the_same(tmp_path: Path, recorded: Env) -> None:
    assert replayed(tmp_path, recorded) == ([(1, "same")], 0)
    assert "1 decided again, none to look at" in run_pollctl(tmp_path, recorded, "replay").stdout


def test_another_rule_is_a_difference_that_is_shown(tmp_path: Path, recorded: Env) -> None:
    source_of(tmp_path).write_text(ODD.replace("by rule one", "by rule two"))
    assert replayed(tmp_path, recorded) == ([(1, "differs")], 1)
    lines = run_pollctl(tmp_path, recorded, "replay").stdout.splitlines()
    assert [line.strip() for line in lines if "by rule" in line] == [
        '-  "reason": "by rule one",',
        '+  "reason": "by rule two",',
    ]


def test_a_decide_that_raises_now_is_a_difference(tmp_path: Path, recorded: Env) -> None:
    source_of(tmp_path).write_text(ODD.replace("    return [Seen(", "    raise KeyError('gone')\n    return [Seen("))
    assert replayed(tmp_path, recorded) == ([(1, "raises")], 1)


def test_types_that_no_longer_read_the_recording_are_told(tmp_path: Path, recorded: Env) -> None:
    source_of(tmp_path).write_text(ODD.replace("number: int", "number: list[str]"))
    assert replayed(tmp_path, recorded) == ([(1, "unreadable")], 1)


def test_a_plugin_that_is_gone_is_told(tmp_path: Path, recorded: Env) -> None:
    assert replayed(tmp_path, clean_environment(tmp_path)) == ([(1, "unreadable")], 1)


def test_what_raised_then_and_decides_now_is_news_but_no_difference(tmp_path: Path, recorded: Env) -> None:
    write_settings(tmp_path, "[plugins.odd]", 'how = "decide raises"')
    assert run_pollctl(tmp_path, recorded, "run", "odd").returncode == 1
    assert replayed(tmp_path, recorded) == ([(1, "raises")], 1)
    source_of(tmp_path).write_text(ODD.replace('raise ValueError("cannot decide")', "pass"))
    assert replayed(tmp_path, recorded) == ([(1, "decides now")], 0)
    assert "decide raised then; it decides 1 now" in run_pollctl(tmp_path, recorded, "replay").stdout


def test_without_names_the_newest_of_each_plugin_with_all_every_one(tmp_path: Path, recorded: Env) -> None:
    run_pollctl(tmp_path, recorded, "run", "odd")
    assert len(replayed(tmp_path, recorded)[0]) == 1
    assert len(replayed(tmp_path, recorded, "--all")[0]) == 2
    newest, oldest = (run["id"] for run in json_of(run_pollctl(tmp_path, recorded, "history", "--json")))
    rows = json_of(run_pollctl(tmp_path, recorded, "replay", oldest, "--json"))
    assert [row["run_id"] for row in rows] == [oldest]
    assert newest != oldest


def test_a_run_without_recording_is_told_and_nothing_recorded_is_no_error(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, "[plugins.plain]")
    run_id = json_of(run_pollctl(tmp_path, env, "run", "plain", "--json"))["run_id"]
    done = run_pollctl(tmp_path, env, "replay", run_id)
    assert (done.returncode, "nothing was recorded of run" in done.stderr) == (2, True)
    assert replayed(tmp_path, env, "--all") == ([], 0)


def test_replaying_writes_nothing(tmp_path: Path, recorded: Env) -> None:
    before = (tmp_path / "pollctl.db").read_bytes()
    replayed(tmp_path, recorded, "--all")
    assert (tmp_path / "pollctl.db").read_bytes() == before
