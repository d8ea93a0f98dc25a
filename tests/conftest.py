"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pollctl import redaction


@pytest.fixture(autouse=True)
def _secrets_of_one_test_mask_nothing_in_the_next() -> Iterator[None]:
    known = set(redaction._known_secrets)
    yield
    redaction._known_secrets.intersection_update(known)
