"""Every test of the supervisor in both ways in which it starts a pass: as a copy of itself, and as an interpreter started anew."""

from __future__ import annotations

from pathlib import Path

import plugin_package
import pytest

WITHOUT_FORK = Path(__file__).parents[2] / "harness" / "without_fork"


@pytest.fixture(autouse=True, params=["forked", pytest.param("started anew", marks=pytest.mark.slow)])
def _way_of_starting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "forked":
        monkeypatch.setattr(plugin_package, "on_every_path", [str(WITHOUT_FORK)])
