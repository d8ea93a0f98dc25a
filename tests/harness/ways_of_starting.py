"""The two ways in which ``due --run`` starts a pass: as a copy of itself, and as an interpreter started anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import plugin_package
import pytest

FORKED, STARTED_ANEW = "forked", "started anew"
_WITHOUT_FORK = Path(__file__).with_name("without_fork")


@contextmanager
def starting(way: str) -> Iterator[None]:
    """While the block lasts, environments that are made have passes start in this way."""
    with pytest.MonkeyPatch.context() as patch:
        if way != FORKED:
            patch.setattr(plugin_package, "on_every_path", [str(_WITHOUT_FORK)])
        yield
