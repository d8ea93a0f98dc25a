"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import in_process
import pytest


@pytest.fixture(autouse=True)
def _secrets_of_one_test_mask_nothing_in_the_next() -> Iterator[None]:
    with in_process.known_secrets_kept():
        yield
