"""Who calls pollctl from another folder is told what it works with there (people.md, rule 24)."""

from __future__ import annotations

from pathlib import Path

import pytest
from place import Place
from plugin_package import command
from pseudo_terminal import show


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder without a settings file."""
    return Place(tmp_path)


@pytest.mark.parametrize("words", ["status", "history", "latency jobs", "outbox list", "plan latency"])
def test_without_settings_a_terminal_is_told_and_which_database_it_is(place: Place, words: str) -> None:
    told = "pollctl: no settings file was found: the built-in ones hold, with the database"
    shown = show(command(*words.split()), columns=100, cwd=place.folder, env=place.env)
    assert told in shown.text
    assert f"{place.folder}/.local/share/pollctl/pollctl.db" in "".join(shown.lines)
    assert place.call(*words.split()).stderr.count("no settings file") == 0, "a pipe is not told"


def test_a_crontab_without_settings_is_refused(place: Place) -> None:
    done = place.call("crontab")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no settings file was found" in done.stderr
    assert "`pollctl init` writes one" in done.stderr
    assert place.do("crontab", "--example").endswith("* * * * * /usr/local/bin/pollctl due --run\n")


def test_a_pass_that_creates_the_database_says_so_once(place: Place) -> None:
    place.plugin("plain")
    place.settings("[plugins.plain]")
    told = f"plain: there was no database at {place.database}; it was created\n"
    assert place.call("run", "plain").stderr == told
    assert place.call("run", "plain").stderr == ""


def test_due_run_says_it_too_and_is_silent_from_then_on(place: Place) -> None:
    place.plugin("plain")
    place.settings("[plugins.plain]")
    told = f"plain: there was no database at {place.database}; it was created\n"
    assert place.call("due", "--run", now="2026-03-02T09:00:00Z").stderr == told
    assert place.call("due", "--run", now="2026-03-02T09:01:00Z").stderr == ""


def test_a_missing_folder_fails_the_check_and_is_told_alike_by_run_and_due_run(place: Place) -> None:
    place.settings('[plugins.latency]\n[pollctl.http]\ntimeout = "5s"')
    path = place.folder / "pollctl.toml"
    path.write_text(path.read_text().replace("pollctl.db", "gone/x.db"))
    told = f"{place.folder}/gone/x.db: there is no folder {place.folder}/gone; create it, or set pollctl.database elsewhere"
    for words in (["run", "latency"], ["due", "--run"]):
        done = place.call(*words)
        assert (done.returncode, done.stderr) == (1, f"pollctl: {told}\n")
    done = place.call("check")
    assert done.returncode == 1
    assert any(line.startswith("FAIL") and told in line for line in done.stdout.splitlines())
