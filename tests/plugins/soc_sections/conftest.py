"""What the tests of soc_sections share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from plugins.soc_sections.place import Place, Sink
from plugins.soc_sections.world import World

from pollctl_soc_sections.fake import FakeSoc


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def place(tmp_path: Path, sink: Sink) -> Iterator[Place]:
    with FakeSoc({"NB": 40, "NK": 30}) as soc:
        for campus in ("NB", "NK"):
            soc.set_open(campus, [section.index_number for section in soc.sections[campus][:20]])
        yield Place(tmp_path, soc, sink)


@pytest.fixture
def world() -> Iterator[World]:
    world = World(catalogue_every=timedelta())
    yield world
    world.db.close()
