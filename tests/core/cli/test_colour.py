"""Colour only where it means something, and never alone (people.md, rule 21)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from full_database import NOW, lay_out
from plugin_package import Env, clean_environment, command
from pseudo_terminal import show

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;[\d;]+)m")
LISTINGS = [
    "status",
    "history",
    "why toilet-gap",
    "outbox list",
    "check",
    "toilet-gap checks",
    "toilet-gap timeline 2",
    "show latest",
]


@pytest.fixture
def env(tmp_path: Path) -> Env:
    lay_out(tmp_path, is_full=True)
    return clean_environment(tmp_path) | {"POLLCTL_NOW": NOW}


def test_yes_and_no_of_why_have_their_colours(tmp_path: Path, env: Env) -> None:
    sent = show(command("why", "toilet-gap"), columns=80, cwd=tmp_path, env=env).sent
    assert "\x1b[32m  yes" in sent
    assert "\x1b[31m  no" in sent


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=lambda more: next(iter(more)))
def test_without_colours_the_words_are_the_same(tmp_path: Path, env: Env, more: Env) -> None:
    for words in LISTINGS:
        coloured = show(command(*words.split()), columns=100, cwd=tmp_path, env=env)
        plain = show(command(*words.split()), columns=100, cwd=tmp_path, env=env | more)
        assert not COLOUR.search(plain.sent), words
        if words not in ("status", "toilet-gap timeline 2"):  # which have marks that are letters then
            assert plain.text == coloured.text


def test_what_is_no_state_has_no_colour(tmp_path: Path, env: Env) -> None:
    sent = show(command("latency", "samples", "1"), columns=100, cwd=tmp_path, env=env).sent
    assert {match[0] for match in re.finditer(r"\x1b\[3\dm[^\x1b]*", sent)} == set()
