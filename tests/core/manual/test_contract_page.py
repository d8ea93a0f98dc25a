"""docs/contract.md says what is public and what is refused, as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from broken_plugins import CATALOGUE

import pollctl

PAGE = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()
BY = {"load": "any load", "check": "a pass, a plan, `check`", "pass": "the pass", "suite": "the suite"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_refusal_stands_there_with_its_message(name: str) -> None:
    broken = CATALOGUE[name]
    says = " … ".join(text.replace("GUEST", "NAME") for text in broken.says)
    assert f"| `{name}` | {BY[broken.door]} | {says} |" in PAGE


def test_nothing_else_is_called_a_refusal() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| (?:any load|a pass|the pass|the suite)", PAGE, re.MULTILINE)) == set(
        CATALOGUE
    )


@pytest.mark.parametrize("name", pollctl.__all__)
def test_every_public_name_stands_there(name: str) -> None:
    assert f"`{name}`" in PAGE
