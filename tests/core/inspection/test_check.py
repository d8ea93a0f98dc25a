"""``check`` finds what is wrong before a pass does, all of it at once."""

from pathlib import Path

import pytest
from plugin_package import Done, clean_environment, json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import PLAIN

pytestmark = pytest.mark.slow


def findings(done: Done) -> dict[tuple[str, str], str]:
    return {(row["level"], row["subject"]): row["text"] for row in json_of(done)}


def failures(done: Done) -> list[str]:
    subjects = ("settings", "plain", "latency")
    return [row["text"] for row in json_of(done) if row["level"] == "FAIL" and row["subject"] in subjects]


def test_all_is_well_is_a_line_per_subject_and_exit_0(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, "[plugins.plain]")
    run_pollctl(tmp_path, env, "run", "plain")
    done = run_pollctl(tmp_path, env, "check")
    assert done.returncode == 0, done.stdout
    found = findings(run_pollctl(tmp_path, env, "check", "--json"))
    assert {("ok", name) for name in ("settings", "plain", "latency", "database", "clock")} <= set(found)
    assert found["ok", "plain"] == "plain-package 1.2.3, enabled"


def test_problems_of_every_section_are_told_at_once(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    sections = (
        "[plugins.plain]",
        "wrod = 1",
        'deadline = "soon"',
        "[plugins.latency]",
        'schedule = "61 * * * *"',
        "[plugins.latensy]",
    )
    write_settings(tmp_path, *sections)
    done = run_pollctl(tmp_path, env, "check", "--json")
    assert done.returncode == 2
    failed = failures(done)
    expected = ("plugins.plain.wrod", "plugins.plain.deadline", "plugins.latency.schedule", "did you mean 'latency'?")
    assert all(any(words in text for text in failed) for words in expected)
    assert len(failed) == len(set(failed)) == 4


def test_with_errors_in_the_core_those_of_plugins_are_told_too_and_each_once(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, 'deadline = "soon"', "[plugins.plain]", "wrod = 1")
    done = run_pollctl(tmp_path, env, "check", "--json")
    assert done.returncode == 2
    failed = failures(done)
    assert [text.split(": ")[1] for text in failed] == ["pollctl.deadline", "plugins.plain.wrod"]


def test_settings_that_are_no_toml_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "pollctl.toml").write_text("[pollctl\n")
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "check")
    assert done.returncode == 2
    assert "pollctl.toml: line 1" in done.stdout + done.stderr


def test_a_schedule_that_may_not_mean_what_it_says_is_a_warning(tmp_path: Path) -> None:
    write_settings(tmp_path, "[plugins.latency]", 'schedule = "59/15 * * * *"')
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "check", "--json")
    assert "59/15" in findings(done)["warn", "latency"]
    assert not any(row["level"] == "FAIL" and row["subject"] == "latency" for row in json_of(done))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "cannot be imported"),
        ("raise SystemExit(0)", "cannot be imported"),
        (PLAIN.replace("pollctl_decide", "pollctl_decid"), "pollctl_decid"),
        (PLAIN.replace("def pollctl_apply(db", "def pollctl_apply(database"), "database"),
        (PLAIN.replace("contract=1", "contract=99"), "contract version 99"),
    ],
    ids=["no import", "exits", "misspelt hook", "unknown argument", "other contract"],
)
def test_a_plugin_that_breaks_the_contract_is_a_failure_with_its_reason(
    tmp_path: Path, source: str, reason: str
) -> None:
    env = make_plugin_package(tmp_path, "odd", source)
    done = run_pollctl(tmp_path, env, "check", "--json")
    text = findings(done)["FAIL", "odd"]
    assert "plugin 'odd' (odd-package 1.2.3)" in text
    assert reason in text
    assert done.returncode == 1


def test_a_decide_that_reads_the_clock_is_a_failure_by_file_line_and_remedy(tmp_path: Path) -> None:
    source = "import time as clock\n" + PLAIN.replace("    return [Seen(", "    clock.time()\n    return [Seen(")
    line = source.splitlines().index("    clock.time()") + 1
    done = run_pollctl(tmp_path, make_plugin_package(tmp_path, "odd", source), "check", "--json")
    assert done.returncode == 1
    assert findings(done)["FAIL", "odd"] == (
        f"odd-package 1.2.3: odd.py:{line}: pollctl_decide reads the clock (clock.time, which is time.time); it is given `now`"
    )


def test_a_clock_behind_the_latest_pass_is_a_warning(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain")
    write_settings(tmp_path, "[plugins.plain]")
    run_pollctl(tmp_path, env | {"POLLCTL_NOW": "2026-03-08T12:00:00Z"}, "run", "plain")
    done = run_pollctl(tmp_path, env | {"POLLCTL_NOW": "2026-03-08T11:00:00Z"}, "check", "--json")
    assert "was set back" in findings(done)["warn", "clock"]


def test_a_clock_before_2020_is_refused(tmp_path: Path) -> None:
    env = clean_environment(tmp_path) | {"POLLCTL_NOW": "1999-01-01T00:00:00Z"}
    done = run_pollctl(tmp_path, env, "check")
    assert done.returncode == 2
    assert "before 2020" in done.stderr


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"not a database, " * 99, "SQLite")])
def test_a_file_that_is_no_database_of_ours_is_a_failure(tmp_path: Path, content: bytes, words: str) -> None:
    write_settings(tmp_path)
    (tmp_path / "pollctl.db").write_bytes(content)
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "check", "--json")
    assert done.returncode == 1
    assert words in findings(done)["FAIL", "database"]
