"""``pollctl demo``: it can be chosen from, it fails when a story fails, and what it shows can be pasted."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_package import clean_environment, command
from pseudo_terminal import show

DEMOS = """
import os

from pollctl.demo import DemoSession

def good(session: DemoSession) -> None:
    session.title("good")
    session.settings("[plugins.latency]")
    session.pollctl("due", "--at", "2026-03-02T09:00:00Z", at="2026-03-02T09:00:00Z")
    session.expect_messages("nobody")

def silent(session: DemoSession) -> None:
    session.settings("[plugins.latency]")
    session.expect_messages("crew", "offline")

def failing(session: DemoSession) -> None:
    session.settings("[plugins.latency]")
    session.pollctl("show", "no such run", at="2026-03-02T09:00:00Z")

def raising(session: DemoSession) -> None:
    raise KeyError("a bug")

def exiting(session: DemoSession) -> None:
    raise SystemExit("enough")

def leaving(session: DemoSession) -> None:
    os.chdir(session.folder)
    raise KeyError("gone")
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment in which a package brings demos."""
    info = tmp_path / "site" / "demos_package-1.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site" / "some_demos.py").write_text(DEMOS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demos-package\nVersion: 1.0\n")
    names = ("good", "silent", "failing", "raising", "exiting", "leaving", "missing")
    lines = "\n".join(f"{name}_one = some_demos:{name}" for name in names)
    (info / "entry_points.txt").write_text(f"[pollctl.demos]\n{lines}\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site")}


def demo(env: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pollctl", "demo", *names]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


def test_the_demo_of_a_third_party_is_run_by_name(env: dict[str, str]) -> None:
    done = demo(env, "good-one")
    assert (done.returncode, done.stderr) == (0, "")
    assert "── good" in done.stdout
    assert "stockx" not in done.stdout


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("silent_one", "it is not so that crew received 1 messages with 'offline'"),
        ("failing_one", "`pollctl show ...` at 2026-03-02T09:00:00Z exited with 1, not 0"),
        ("raising_one", "KeyError: 'a bug'"),
    ],
)
def test_a_story_that_fails_is_named_and_does_not_end_the_others(env: dict[str, str], name: str, why: str) -> None:
    done = demo(env, name, "good_one")
    assert done.returncode == 1
    assert f"pollctl: the demo of {name} failed: {why}" in done.stderr
    assert "── good" in done.stdout


def test_one_that_exits_or_goes_away_or_is_not_there_does_not_end_the_others(env: dict[str, str]) -> None:
    done = demo(env, "exiting_one", "missing_one", "leaving_one", "good_one")
    assert done.returncode == 1
    for name, why in (
        ("exiting", "SystemExit: enough"),
        ("missing", "AttributeError"),
        ("leaving", "KeyError: 'gone'"),
    ):
        assert f"pollctl: the demo of {name}_one failed: {why}" in done.stderr
    assert "── good" in done.stdout
    assert done.stdout.rstrip().endswith("README.md goes on.")


def test_a_mistyped_name_gets_the_nearest(env: dict[str, str]) -> None:
    done = demo(env, "goood-one")
    assert done.returncode == 2
    assert "no demo named 'goood-one' (did you mean 'good_one'?)" in done.stderr


@pytest.mark.slow
def test_what_ships_tells_its_stories_to_the_end_in_commands_that_can_be_pasted() -> None:
    done = demo(dict(os.environ))
    assert (done.returncode, "FAILED:" in done.stdout) == (0, False), done.stdout
    commands = done.stdout.replace(" \\\n", " ").split("\n$ ")[1:]
    assert ["pollctl", "shell-query", "submit", "--sql", "SELECT Name, Opens FROM Subscribers"] in [
        shlex.split(command.splitlines()[0], comments=True)[:5] for command in commands
    ]
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if line.startswith("$"))


@pytest.mark.slow
def test_a_demo_fits_a_screen_of_80_columns(tmp_path: Path) -> None:
    seen = show(command("demo", "latency"), columns=80, cwd=tmp_path, env=clean_environment(tmp_path))
    assert seen.code == 0
    lines = re.sub(r"\r\x1b\[2K|\x1b\[[0-9;]*m", "\r", seen.sent).replace("\n", "\r").split("\r")
    assert max(map(len, lines)) <= 80
    assert "all well" in seen.text, "listings are those of a terminal"
