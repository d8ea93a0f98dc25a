"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from core.parrot import Parrot
from core.targets.watching import Watching, watching


@pytest.fixture
def parrot(tmp_path: Path) -> Parrot:
    """A plugin with every hook, in a place of its own."""
    return Parrot(tmp_path)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watching]:
    """The watcher of the manual, with pages to watch."""
    with watching(tmp_path, "watch") as found:
        yield found


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Watching]:
    """A plugin of targets whose news has ids."""
    with watching(tmp_path, "feeds") as found:
        yield found
