"""Help, global options behind the command, and suggestions (people.md, rule 22)."""

from __future__ import annotations

from pathlib import Path

import pytest
from full_database import NOW, lay_out
from plugin_package import Env, clean_environment, json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import PLAIN

PLUGIN = (
    PLAIN
    + """
import click

@hookimpl
def pollctl_commands(group):
    @group.group()
    def inner():
        pass

    @inner.command()
    @click.option("--config")
    @click.option("--text")
    @click.pass_obj
    def echo(context, config, text):
        click.echo(f"{context.settings.word} {config} {text}")
"""
)


@pytest.fixture
def env(tmp_path: Path) -> Env:
    lay_out(tmp_path, is_full=True)
    return clean_environment(tmp_path) | {"POLLCTL_NOW": NOW}


@pytest.mark.parametrize("words", ["history --config {}", "history --config={} latency", "latency jobs --config {}",
                                   "stockx-ops account list --config {}", "outbox list --limit 1 --config {}"])  # fmt: skip
def test_the_settings_file_may_be_named_behind_the_command(tmp_path: Path, env: Env, words: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = tmp_path / "pollctl.toml"
    done = run_pollctl(elsewhere, env | {"HOME": str(elsewhere)}, *words.format(file).split(), "--json")
    assert json_of(done), done.stderr
    missing = run_pollctl(elsewhere, env, *words.format("nowhere.toml").split())
    assert (missing.returncode, "nowhere.toml: no such file" in missing.stderr) == (2, True)


def test_debug_and_utc_may_stand_behind_the_command_too(tmp_path: Path, env: Env) -> None:
    done = run_pollctl(tmp_path, env, "show", "nothing", "--debug")
    assert "Traceback" in done.stderr
    assert run_pollctl(tmp_path, env, "history", "--utc").returncode == 0


def test_an_option_of_a_plugin_with_such_a_name_stays_its_own(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "plain", PLUGIN)
    write_settings(tmp_path, "[plugins.plain]")
    done = run_pollctl(tmp_path, env, "plain", "inner", "echo", "--config", "mine", "--text", "--debug")
    assert done.stdout == "hello mine --debug\n", done.stderr


def test_an_option_without_its_value_is_wrong_usage(tmp_path: Path, env: Env) -> None:
    done = run_pollctl(tmp_path, env, "status", "--config")
    assert (done.returncode, "Option '--config' requires an argument" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [[], ["run"], ["outbox", "retry"], ["soc-sections", "subscribe"], ["stockx_ops", "account", "connect"]],
    ids=" ".join,
)
def test_help_says_what_the_option_says(tmp_path: Path, env: Env, words: list[str]) -> None:
    asked = run_pollctl(tmp_path, env, "help", *words)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == run_pollctl(tmp_path, env, *words, "--help").stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["histroy"], "did you mean 'history'?"),
        (["help", "histroy"], "did you mean 'history'?"),
        (["outbox", "lst"], "Did you mean 'list'?"),
        (["latency", "job"], "Did you mean 'jobs'?"),
        (["stockx-ops", "account", "conect"], "Did you mean 'connect'?"),
        (["help", "outbox", "retri"], "Did you mean 'retry'?"),
        (["help", "run", "latency"], "`pollctl run` has no commands of its own"),
        (["history", "--outcom", "ok"], "--outcome"),
        (["status", "--utcc"], "--utc"),
        (["latency", "jobs", "--confg", "x"], "--config"),
    ],
)
def test_what_was_mistyped_is_answered_with_what_was_meant(
    tmp_path: Path, env: Env, words: list[str], hint: str
) -> None:
    done = run_pollctl(tmp_path, env, *words)
    assert done.returncode == 2
    assert hint in done.stderr
