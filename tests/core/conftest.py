"""Fixtures that several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest
from core.parrot import Parrot


@pytest.fixture
def parrot(tmp_path: Path) -> Parrot:
    """A plugin with every hook, in a place of its own."""
    return Parrot(tmp_path)
