"""``make campaign PART=NAME``: the parts that there are, what each tries, and the figures that are kept of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import parts
import pytest
from manual_pages import ROOT, read, section

RECORD = {"part": "overlap", "sqlite": "3.40.1", "seed": 1, "figures": ["100 rounds"]}


def test_what_each_part_tries_is_there() -> None:
    assert parts.CODE.keys() <= set(parts.names())
    if (ROOT / "pollctl").is_dir():
        assert all((ROOT / path).exists() for paths in parts.CODE.values() for path in paths)


def test_figures_are_of_parts_that_there_are() -> None:
    assert {record["part"] for record in parts.kept()} <= set(parts.names())


def test_a_record_takes_the_place_of_the_earlier_one_of_the_same_part_and_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "FIGURES", tmp_path / "campaign" / "figures.jsonl")
    for record in (RECORD, RECORD | {"sqlite": "3.53.2"}, RECORD | {"seed": 2}, RECORD | {"part": "canaries"}):
        parts.keep(record)
    assert [(record["part"], record["sqlite"], record["seed"]) for record in parts.kept()] == [
        ("canaries", "3.40.1", 1),
        ("overlap", "3.40.1", 2),
        ("overlap", "3.53.2", 1),
    ]


@pytest.mark.parametrize(("word", "code"), [("list", 0), ("help", 0), ("nonsense", 2)])
def test_whoever_asks_is_told_the_parts(word: str, code: int) -> None:
    done = subprocess.run([sys.executable, parts.__file__, word], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    listed = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert listed == parts.names()


def test_the_page_says_where_figures_are_kept() -> None:
    text = section(ROOT / "docs" / "reliability.md", "How to repeat it")
    assert str(parts.FIGURES.relative_to(ROOT)) in text
    assert "PART=list" in text
    assert "$(PART)" in read(ROOT / "Makefile")
