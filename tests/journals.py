"""Both journal modes, whichever SQLite is linked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pollctl.store import journal

PRETENDED = {"TRUNCATE": "3.40.1", "WAL": "3.51.3"}
"""By mode: the version of a SQLite for which pollctl chooses it."""

in_both_journals = pytest.mark.parametrize("mode", PRETENDED)


def take(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process choose a mode, and the processes that it starts with its own environment."""
    monkeypatch.setattr(journal, "mode", lambda: mode)
    for name, value in choosing(os.environ, mode).items():
        monkeypatch.setenv(name, value)


def choosing(env: Mapping[str, str], mode: str) -> dict[str, str]:
    """An environment in which processes choose a mode."""
    place = str(Path(__file__).with_name("harness") / "pretended_sqlite")
    path = os.pathsep.join(filter(None, [place, env.get("PYTHONPATH", "")]))
    return {**env, "PYTHONPATH": path, "PRETENDED_SQLITE": PRETENDED[mode]}
