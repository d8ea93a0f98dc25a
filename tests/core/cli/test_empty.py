"""Empty listings say what is empty and which command fills it (people.md, rule 17)."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from full_database import NOW, lay_out
from plugin_package import clean_environment, run_pollctl

from pollctl.cli import cli

LISTINGS = [
    "history", "outbox list", "outbox list --status dead", "replay", "latency jobs", "latency alerts",
    "shell-query runs", "soc-sections subscriptions", "soc-sections sections", "soc-sections events", "soc-sections polls",
    "stockx-ops account list", "stockx-ops jobs", "stockx-ops listings", "stockx-ops history", "toilet-gap checks",
]  # fmt: skip


@pytest.mark.parametrize("words", LISTINGS)
def test_what_is_empty_says_which_command_fills_it(tmp_path: Path, words: str) -> None:
    lay_out(tmp_path, is_full=False)
    done = run_pollctl(tmp_path, clean_environment(tmp_path) | {"POLLCTL_NOW": NOW}, *words.split())
    assert (done.returncode, done.stdout) == (0, "")
    [line] = done.stderr.splitlines()
    [first, *_] = re.findall(r"`pollctl ([\w -]+?)(?: [A-Z-].*)?`", line)
    assert is_command(first.split()), line


def is_command(words: list[str]) -> bool:
    context = click.Context(cli, info_name="pollctl")
    command: click.Command | None = cli
    for word in words:
        if not isinstance(command, click.Group):  # what follows is an argument
            break
        command = command.get_command(context, word)
        if command is None or "-" in word:  # a plugin's own commands are filled in when it is called
            break
    return command is not None


def test_json_of_nothing_is_an_empty_list_and_no_word(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=False)
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "latency", "jobs", "--json")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("words", ["status", "why", "due --next 1"])
def test_where_no_plugin_is_enabled_it_says_so(tmp_path: Path, words: str) -> None:
    (tmp_path / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\n')
    done = run_pollctl(tmp_path, clean_environment(tmp_path), *words.split())
    assert "no plugin is enabled; `pollctl plugins` lists" in done.stderr
