"""The picture of a terminal in the manual shows what a terminal shows (scale.md, rule 11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from manual_pages import script

pytest.importorskip("playwright.sync_api")
Image = pytest.importorskip("PIL.Image")


def test_the_terminal_in_the_manual_is_that_of_today(tmp_path: Path) -> None:
    picture = script("picture")
    picture.lay_out_day(tmp_path)
    with Image.open(picture.TERMINAL) as there:
        assert there.text["Description"] == picture.screen(tmp_path).text, "it lags behind: run docs/picture.py"
