"""The fixture ``bench``; pytest finds it by itself where pollctl is installed. Nothing else of pollctl imports pytest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pollctl.testing.bench import Bench


@pytest.fixture
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Bench]]:
    """Makes a ``pollctl.testing.Bench``, with its arguments, and closes it when the test has ended."""
    from contextlib import ExitStack

    from pollctl.testing.bench import Bench

    def made(plugin: str, *settings: Any, folder: Path | None = None, **more: Any) -> Bench:
        place = folder or tmp_path_factory.mktemp("bench")
        return until_closed.enter_context(Bench(plugin, *settings, folder=place, **more))

    with ExitStack() as until_closed:
        yield made
