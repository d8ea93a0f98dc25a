"""A plugin of targets of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from core.targets.watching import Watching, watching


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watching]:
    with watching(tmp_path, "watch") as found:
        yield found


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Watching]:
    with watching(tmp_path, "feeds") as found:
        yield found
