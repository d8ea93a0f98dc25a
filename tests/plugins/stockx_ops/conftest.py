"""What the tests of stockx_ops share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins.stockx_ops.place import Place
from plugins.stockx_ops.world import World

from pollctl_stockx_ops.fake import FakeStockX


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place with anna's account, whose access token must be refreshed first."""
    with FakeStockX() as upstream:
        place = Place(tmp_path, upstream)
        place.connect("anna")
        yield place


@pytest.fixture
def world() -> Iterator[World]:
    """A database in memory, with anna's account."""
    world = World()
    yield world
    world.db.close()
