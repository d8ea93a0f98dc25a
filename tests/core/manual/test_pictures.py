"""The picture of a terminal in the manual shows what a terminal shows (scale.md, rule 11)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from manual_pages import DOCS

pytest.importorskip("playwright.sync_api")
Image = pytest.importorskip("PIL.Image")


def test_the_terminal_in_the_manual_is_that_of_today(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("docs_picture", DOCS / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    picture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(picture)
    picture.lay_out_day(tmp_path)
    with Image.open(picture.TERMINAL) as there:
        assert there.text["Description"] == picture.screen(tmp_path).text, "it lags behind: run docs/picture.py"
