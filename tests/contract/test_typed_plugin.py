"""Strict type checkers see through the contract (authors.md, rule 11)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TYPED = """
from collections.abc import Iterator, Sequence
from typing import Any, assert_type

from msgspec import Struct
from sqlite_utils import Database

from pollctl import Effect, Poller, Request, Run, Settings, hookimpl


class Mine(Settings, frozen=True, kw_only=True):
    url: str = "http://127.0.0.1/"


class Word(Struct, frozen=True):
    text: str


class Say(Struct, frozen=True, tag=True):
    word: str
    reason: str


class Payload(Struct):
    word: str


@hookimpl
def pollctl_poller() -> Poller:
    return Poller(contract=1, summary="Says words.", settings=Mine, batch=Word, decision=Say, effects={"say": "keyed"})


@hookimpl
def pollctl_fetch(run: Run[Mine]) -> Iterator[Word]:
    assert_type(run.settings, Mine)
    for answer in run.get_many([Request(url=run.settings.url, tag=7)]):
        assert_type(answer.request.tag, int)
        yield Word(answer.text)
    assert_type(run.send(Request(url="http://127.0.0.1/", tag="x")).request.tag, str)


@hookimpl
def pollctl_decide(batch: Word) -> Sequence[Say]:
    return [Say(batch.text, "new")]


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Say], run: Run) -> None:
    assert_type(run.settings, Any)
    for say in decisions:
        run.effect("say", say.word, Payload(say.word))


@hookimpl
def pollctl_deliver(effect: Effect[dict[str, str]], run: Run[Mine]) -> str:
    assert_type(effect.payload, dict[str, str])
    return effect.payload["word"]
"""
WRONG = TYPED.replace("run.settings.url, tag=7", "run.settings.nonesuch, tag=7")


def checked(folder: Path, source: str) -> str:
    (folder / "typed.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "typed.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_a_typed_plugin_is_sound_and_a_slip_in_it_is_seen(tmp_path: Path) -> None:
    assert "Success" in checked(tmp_path, TYPED), checked(tmp_path, TYPED)
    assert '"Mine" has no attribute "nonesuch"' in checked(tmp_path, WRONG)
