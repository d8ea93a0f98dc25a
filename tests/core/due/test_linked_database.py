"""The fast path of ``due --run`` and a database that is a link: it agrees with the settings, or takes the full way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from plugin_package import Env, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import PLAIN

from pollctl.config.settings import load
from pollctl.due import fast_path

IDLE = ("due", "--run")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    (tmp_path / "real").mkdir()
    (tmp_path / "pollctl.db").symlink_to("real/one.db")
    write_settings(tmp_path, "[plugins.counter]", 'schedule = "0 0 1 1 *"')
    return make_plugin_package(tmp_path, "counter", PLAIN)


def test_it_guesses_the_file_behind_the_link(tmp_path: Path, env: Env) -> None:
    guessed = fast_path.guess_database(str(tmp_path / "pollctl.toml"))
    assert guessed == str(load(tmp_path / "pollctl.toml").core.database) == str(tmp_path / "real" / "one.db")


def test_nothing_due_is_known_through_the_link_until_it_leads_elsewhere(tmp_path: Path, env: Env) -> None:
    is_idle = "import os, sys; from pollctl.due import fast_path; sys.exit(fast_path.is_nothing_due(['due', '--run'], os.environ))"
    assert spawn_pollctl(tmp_path, env, *IDLE).returncode == 0
    assert spawn_pollctl(tmp_path, env, *IDLE).returncode == 0
    assert asked(tmp_path, env, is_idle) == 1
    (tmp_path / "pollctl.db").unlink()
    (tmp_path / "pollctl.db").symlink_to("real/two.db")
    assert asked(tmp_path, env, is_idle) == 0
    assert spawn_pollctl(tmp_path, env, *IDLE).returncode == 0
    assert (tmp_path / "real" / "two.db").exists()


def asked(place: Path, env: Env, question: str) -> int:
    return subprocess.run([sys.executable, "-c", question], cwd=place, env=env, check=False).returncode
