"""``plugins sample``, ``plugins enable``, ``init --plugin`` and ``fake``: from nothing to a plugin that can be tried."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from plugin_package import Done, clean_environment, run_pollctl

from pollctl.fakes import ServerRequest

PLUGINS = ("latency", "shell_query", "soc_sections", "stockx_ops", "toilet_gap")


def pollctl(folder: Path, *words: str) -> Done:
    return run_pollctl(folder, clean_environment(folder), *words)


@pytest.mark.parametrize("name", ["soc_sections", "soc-sections"])
def test_a_sample_can_be_pasted(tmp_path: Path, name: str) -> None:
    done = pollctl(tmp_path, "plugins", "sample", name)
    assert done.returncode == 0
    assert list(tomllib.loads(done.stdout)["plugins"]) == ["soc_sections"]


def test_init_writes_the_sections_that_are_named(tmp_path: Path) -> None:
    done = pollctl(tmp_path, "init", "--plugin", "soc-sections", "--plugin", "toilet_gap")
    assert done.returncode == 0, done.stderr
    written = tomllib.loads((tmp_path / "pollctl.toml").read_text())
    assert list(written["plugins"]) == ["soc_sections", "toilet_gap"]


def test_init_writes_who_is_notified_and_leaves_the_rest_as_it_is(tmp_path: Path) -> None:
    addresses = ("json://127.0.0.1/a", "jsons://ann:pa%22ss@[::1]/b")
    assert pollctl(tmp_path, "init", "plain").returncode == 0
    done = pollctl(tmp_path, "init", "--notify", addresses[0], "--notify", addresses[1])
    assert done.returncode == 0, done.stderr
    assert "pa%22ss" not in done.stdout + done.stderr
    written = (tmp_path / "pollctl.toml").read_text()
    assert tomllib.loads(written)["pollctl"]["notify"] == {"urls": [*addresses]}
    added = [line for line in written.splitlines() if not line.startswith("urls = ")]
    assert added == (tmp_path / "plain" / "pollctl.toml").read_text().splitlines()


def test_init_takes_no_address_that_nobody_can_be_reached_by(tmp_path: Path) -> None:
    done = pollctl(tmp_path, "init", "--notify", "nosuch://secret")
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "nosuch://… is not an address" in done.stderr
    assert "secret" not in done.stderr


def test_init_of_an_unknown_plugin_writes_nothing(tmp_path: Path) -> None:
    done = pollctl(tmp_path, "init", "--plugin", "latensy")
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "did you mean 'latency'?" in done.stderr


def test_enable_adds_a_section_and_leaves_everything_else_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text('# mine\n[pollctl]\ndatabase = "x.db"  # here')
    path.chmod(0o640)
    assert pollctl(tmp_path, "plugins", "enable", "stockx-ops").returncode == 0
    assert path.read_text() == '# mine\n[pollctl]\ndatabase = "x.db"  # here\n\n[plugins.stockx_ops]\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["pollctl.toml"]


def test_enable_switches_a_section_on_and_keeps_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text("[pollctl]\n[plugins.soc-sections]  # students\nenabled = false # for now\nmisses = 2\n")
    assert pollctl(tmp_path, "plugins", "enable", "soc_sections").returncode == 0
    assert "[plugins.soc-sections]  # students\nenabled = true # for now\nmisses = 2\n" in path.read_text()


def test_enable_of_what_is_enabled_says_so(tmp_path: Path) -> None:
    (tmp_path / "pollctl.toml").write_text("[plugins.latency]\n")
    done = pollctl(tmp_path, "plugins", "enable", "latency")
    assert (done.returncode, "enabled already" in done.stdout) == (0, True)


def test_enable_without_a_settings_file_names_the_remedy(tmp_path: Path) -> None:
    done = pollctl(tmp_path, "plugins", "enable", "latency")
    assert done.returncode == 2
    assert "`pollctl init` writes one" in done.stderr


@contextmanager
def served(name: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-u", "-m", "pollctl", "fake", name]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def lines_until(stream: Iterator[str], mark: str) -> str:
    kept = ""
    for line in stream:
        kept += line
        if mark in line:
            return kept
    raise AssertionError(kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_can_be_tried_by_hand_on_its_fake(tmp_path: Path, name: str) -> None:
    with served(name) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        hint = lines_until(process.stderr, "pollctl run")
        process.send_signal(signal.SIGSTOP)  # what it has printed by now is the whole section
        os.set_blocking(process.stdout.fileno(), False)
        section = process.stdout.read()
        process.send_signal(signal.SIGCONT)
        quick = section.replace(f"[plugins.{name}]\n", f'[plugins.{name}]\nwindow = "2s"\n')
        (tmp_path / "pollctl.toml").write_text(f'[pollctl]\ndatabase = "pollctl.db"\n{quick}')
        assert pollctl(tmp_path, "db", "migrate").returncode == 0
        done = pollctl(tmp_path, "run", name)
        assert (done.returncode, done.stderr) == (0, ""), (section, hint)
    assert process.returncode == 0


def test_a_fake_upstream_may_have_a_port_of_its_own() -> None:
    from pollctl_latency.fake import FakeApi

    with FakeApi() as first:
        port = int(first.url.rpartition(":")[2])
    with FakeApi(port=port) as second:
        assert second.url.endswith(f":{port}")
    with FakeApi() as third:
        assert third.respond(ServerRequest("GET", "/latency/x/y/", {}, b"")).status == 200
