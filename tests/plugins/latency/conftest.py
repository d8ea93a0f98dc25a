"""What the tests of latency share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins.latency.place import SCRIPT, Place
from plugins.latency.world import World

from pollctl_latency.fake import FakeApi


@pytest.fixture
def world() -> Iterator[World]:
    """A database in memory."""
    world = World()
    yield world
    world.db.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A database on disk and an API that answers as ``SCRIPT`` says."""
    with FakeApi(SCRIPT) as api:
        place = Place(tmp_path, api)
        place.do("db", "migrate")
        yield place
        place.close()
