"""What the tests of shell_query share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins.shell_query.place import Place

from pollctl_shell_query.fake import FakeMarketingCloud


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place with an upstream that works; in memory where it can be, as a disk under load takes seconds for a commit."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=parent) as folder, FakeMarketingCloud() as upstream:
        yield Place(Path(folder), upstream)
