"""What the tests of latency share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins.latency.place import SCRIPT, Place
from plugins.latency.remote import Remote
from plugins.latency.world import World
from postgres import execute, new_project, postgres

from pollctl_latency.fake import FakeApi
from pollctl_latency.fake.postgrest import FakePostgrest
from pollctl_latency.fake.rows import PostgresRows


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


@pytest.fixture(scope="session")
def project() -> Iterator[str]:
    """The address of a database with the tables of the other side, in a PostgreSQL of its own."""
    with postgres() as server:
        yield new_project(server)


@pytest.fixture
def remote(tmp_path: Path, project: str) -> Iterator[Remote]:
    """Jobs kept elsewhere: none yet."""
    execute(project, "TRUNCATE jobs, samples")
    with FakeApi(SCRIPT) as api, FakePostgrest(PostgresRows(project)) as postgrest:
        yield Remote(tmp_path, api, postgrest)
